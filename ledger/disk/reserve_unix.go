//go:build unix

package disk

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reserve is the space that is reserved for a file: blocks after its end if the system allows that,
// or else a ballast. It is for one goroutine at a time.
type reserve struct {
	behind  bool // the file has blocks after its end
	ballast ballast
}

// hold is [File.Reserve].
func (r *reserve) hold(f *os.File, end, size int64) error {
	if size == 0 {
		return r.giveBack(f, end)
	}
	if err := withinLimit(end + size); err != nil {
		return &os.PathError{Op: "reserve", Path: f.Name(), Err: err}
	}
	if r.ballast.file == nil {
		if given, err := allocateBehind(f, end, size); given {
			r.behind = true
			return err
		}
	}
	return r.ballast.hold(f.Name(), size)
}

// withinLimit finds what otherwise only a write would report: that the file may not become so
// large, as with ulimit.
func withinLimit(end int64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err == nil && uint64(end) > limit.Cur {
		return unix.EFBIG
	}
	return nil
}

// giveBack releases blocks after the end by truncating the file at its end. If the file ends
// elsewhere by now, it is left to another process.
func (r *reserve) giveBack(f *os.File, end int64) error {
	if !r.behind {
		return r.ballast.drop()
	}
	r.behind = false
	info, err := f.Stat()
	if err == nil && info.Size() == end {
		err = f.Truncate(end)
	}
	return err
}

// use releases as much of the ballast as is about to be written.
func (r *reserve) use(size int64) {
	if r.ballast.file != nil {
		r.ballast.shrink(max(0, r.ballast.size-size))
	}
}

func (r *reserve) drop() error { return r.ballast.drop() }

// ballast is a file without a name, for file systems that cannot allocate blocks after a file's
// end. It takes up the space, and is made smaller just before the space is needed. The system
// removes it with the process. Another process may take the space first, so this is the second
// choice.
type ballast struct {
	file *os.File
	size int64
}

// hold makes the ballast of the file called name size bytes large.
func (b *ballast) hold(name string, size int64) (err error) {
	if b.file == nil {
		if b.file, err = os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".room-*"); err != nil {
			return err
		}
		if err := os.Remove(b.file.Name()); err != nil {
			return Both(err, b.drop())
		}
	}
	if size < b.size {
		b.shrink(size)
	}
	for at := b.size; at < size; at = b.size {
		// On some file systems, data that compresses well, such as zeros, takes up no space.
		block := make([]byte, min(size-at, 64<<10))
		for i := range block {
			block[i] = byte(rand.Uint32())
		}
		n, err := b.file.WriteAt(block, at)
		b.size += int64(n)
		if err == nil && n < len(block) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shrink ignores an error: the write that follows then reports that there is no space.
func (b *ballast) shrink(size int64) {
	if err := b.file.Truncate(size); err == nil {
		b.size = size
	}
}

func (b *ballast) drop() error {
	if b.file == nil {
		return nil
	}
	err := b.file.Close()
	*b = ballast{}
	return err
}
