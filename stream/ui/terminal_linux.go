package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TCGETS

// printedTo reports whether the stdout of another program is this terminal too, such as that of a
// later stage of the pipeline or of a job in the background. This process's ancestors, such as its
// shell, wait for it and do not count, nor do stopped processes. If /proc cannot be read, it
// reports true. It looks at each process once, which takes some milliseconds for a thousand
// processes.
func printedTo(terminal *os.File) bool {
	info, err := terminal.Stat()
	processes, globErr := filepath.Glob("/proc/[0-9]*")
	if err != nil || globErr != nil || len(processes) == 0 {
		return true
	}
	waiting := waitingFor(os.Getpid())
	return slices.ContainsFunc(processes, func(process string) bool {
		id, err := strconv.Atoi(filepath.Base(process))
		if err != nil || slices.Contains(waiting, id) {
			return false
		}
		out, err := os.Stat(process + "/fd/1") // fails for other users' processes, too
		if err != nil || !os.SameFile(info, out) {
			return false
		}
		state, _, ok := standing(id)
		return ok && state != "T" && state != "Z"
	})
}

// waitingFor returns a process, its parent, the parent of that, and so on.
func waitingFor(id int) (line []int) {
	for id > 0 {
		line = append(line, id)
		_, parent, ok := standing(id)
		if !ok {
			break
		}
		id = parent
	}
	return line
}

// standing returns a process's state, a letter, and its parent (proc_pid_stat(5)). In the stat file
// the process's name comes before them, in parentheses, and may hold any character.
func standing(id int) (state string, parent int, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if err != nil || len(fields) < 2 {
		return "", 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err == nil
}
