package stream

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used so far, its user and its system time.
func cpuTime() time.Duration {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		panic(err)
	}
	var created, exited, system, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &system, &user); err != nil {
		panic(err)
	}
	const tick = 100 // nanoseconds
	ticks := func(t syscall.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) }
	return time.Duration((ticks(system) + ticks(user)) * tick)
}
