package ledger

import "fmt"

// Fsync says when what was committed must have reached the disk.
type Fsync uint8

const (
	// FsyncAlways is before Commit returns: a result that is shown survives a power failure.
	FsyncAlways Fsync = iota
	// FsyncEverySecond is within a second of the commit: a power failure costs at most that.
	FsyncEverySecond
	// FsyncNever leaves it to the system. A process that dies costs nothing even so.
	FsyncNever
)

func (f Fsync) String() string {
	switch f {
	case FsyncAlways:
		return "always"
	case FsyncEverySecond:
		return "1s"
	default:
		return "never"
	}
}

// ParseFsync reads the name that String gives.
func ParseFsync(name string) (Fsync, error) {
	for _, f := range []Fsync{FsyncAlways, FsyncEverySecond, FsyncNever} {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("fsync %q is none of always, 1s, never", name)
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseFsync.
func (f *Fsync) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFsync(string(text))
	return err
}
