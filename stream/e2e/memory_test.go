package e2e

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// mostMemory is what a run may hold in memory at most, in bytes, however long its input is.
const mostMemory = 64 << 20

// peakMemory is the most memory that a process has held so far, in bytes; 0 where the system does
// not tell. What the system accounts to a process that has ended would do as well, were it not for
// the part before exec, which is this process's own.
func peakMemory(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n << 10
}

// checkMemory fails the test if p, which is running, has held too much.
func checkMemory(t *testing.T, p *process) {
	t.Helper()
	peak, most := peakMemory(p.Process.Pid), mostMemory
	if race {
		most *= 6 // shadow memory
	}
	if peak > most {
		t.Errorf("%d MiB of memory, want at most %d", peak>>20, most>>20)
	}
	t.Logf("%d KiB of memory", peak>>10)
}

// settled waits until count has stood still for a while. On a slow machine it may return early,
// which no bound that holds is hurt by.
func settled(t testing.TB, count *atomic.Int64) {
	t.Helper()
	last, since := int64(-1), time.Now()
	eventually(t, "nothing more is sent", func() bool {
		if n := count.Load(); n != last {
			last, since = n, time.Now()
		}
		return last > 0 && time.Since(since) > 300*time.Millisecond
	})
}
