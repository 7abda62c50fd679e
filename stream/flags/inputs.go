package flags

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// CheckInputs refuses a command line that would wait for a person to type its input. It also
// refuses a prompt or a command in place of a file name. commands are the names of all commands.
func (f *Flags) CheckInputs(stdin *os.File, commands []string) error {
	if len(f.Files) == 0 && ui.IsTerminal(stdin) {
		return ui.Usage(&ui.Hinted{
			Err:  errors.New("nothing to read: stdin is a terminal"),
			Hint: "name a file: llmpipe prompts.jsonl > out.jsonl; or pipe prompts in: echo 'What is 2+2?' | llmpipe -R; see llmpipe --help",
		})
	}
	for _, name := range f.Files {
		if name == "-" {
			continue
		}
		_, err := os.Stat(name)
		if !errors.Is(err, fs.ErrNotExist) && !ui.IsErrno(err, syscall.ENAMETOOLONG) { // a prompt may be too long for a file name
			continue
		}
		return notAFile(name, commands)
	}
	return nil
}

// notAFile returns the error for the name of a file that does not exist.
func notAFile(name string, commands []string) error {
	shown := naming.Short(name)
	switch {
	case looksLikePrompt(name):
		return usage("if it is a prompt, pipe it in: "+ask(name), "there is no file called %q", shown)
	case strings.Contains(name, " "):
		return usage(nearFile(name)+", or, if it is a prompt, pipe it in: "+ask(name), "there is no file called %q", shown)
	case strings.ContainsAny(name, `./\`):
		return ui.WithHint(nearFile(name), fmt.Errorf("%s: no such file", shown)) // not a usage error: the file may exist later
	}
	hint := "llmpipe --help lists the commands; if it is a prompt, pipe it in: " + ask(name)
	if near := naming.Nearest(name, commands); near != "" {
		hint = "did you mean llmpipe " + near + "?"
	}
	return usage(hint, "%s is neither a command nor a file", shown)
}

// fileName matches the endings of files that people give to llmpipe.
var fileName = regexp.MustCompile(`(?i)\.(jsonl?|ndjson|txt|csv|tsv|gz|zst|md)$`)

// looksLikePrompt reports whether a word in place of a file name is probably a prompt.
func looksLikePrompt(name string) bool {
	return strings.ContainsAny(name, " \n?") && !fileName.MatchString(name)
}

// ask returns the command that asks one prompt.
func ask(prompt string) string {
	const longest = 60 // bytes of a prompt that are worth repeating
	if len(prompt) > longest || strings.ContainsAny(prompt, "\\\n") {
		prompt = "…"
	}
	return "echo " + naming.Quoted(prompt) + " | llmpipe -R"
}

// nearFile returns the hint for a file that does not exist: an existing file with a similar name.
func nearFile(name string) string {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return "there is no directory " + naming.Short(filepath.Dir(name)) + " either: check the path"
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	if near := naming.Nearest(filepath.Base(name), names); near != "" {
		return "did you mean " + naming.Short(filepath.Join(filepath.Dir(name), near)) + "?"
	}
	return "check the name: ls " + naming.Short(filepath.Dir(name))
}

// fileHint returns what may be wrong with the file name in a flag's value.
func fileHint(name string) string {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nearFile(name)
	}
	return "check that it is a readable file"
}
