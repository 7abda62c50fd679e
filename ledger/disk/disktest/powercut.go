// Package disktest is a file system for tests whose power goes: what was not synced by then may be
// lost, all of it or any part.
package disktest

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"llmpipe/ledger/disk"
)

// ErrPower is what every step fails with from the one on at which the power goes.
var ErrPower = errors.New("the power is gone")

// PowerCut is the machine's file system, in a directory that nobody else writes to, up to the step
// at which its power goes. It is for the files that are opened through it.
//
// Steps are what changes the disk: a file that is made or removed, a write, a cut, a sync. They are
// counted from 0.
type PowerCut struct {
	disk.OS
	mu    sync.Mutex
	at    int // the step at which the power goes
	steps int
	files map[string]*image
}

// image is what is known of a file's way to the disk.
type image struct {
	named  bool   // its name is on the disk
	synced []byte // so is this
	since  []change
}

// change is a write or a cut that was not synced.
type change struct {
	at   int64
	text []byte
	cut  bool // to at bytes
}

// NewPowerCut returns a file system whose power goes at a step.
func NewPowerCut(at int) *PowerCut { return &PowerCut{at: at, files: make(map[string]*image)} }

// Off reports whether the power is gone.
func (p *PowerCut) Off() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.steps > p.at
}

// step takes a step, and is false where the power is gone, or goes with it. The caller holds mu.
func (p *PowerCut) step() bool {
	if p.steps <= p.at {
		p.steps++
	}
	return p.steps <= p.at
}

// OpenFile opens a file of the directory.
func (p *PowerCut) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.steps > p.at {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrPower}
	}
	_, err := p.OS.Stat(name)
	if missing := errors.Is(err, fs.ErrNotExist); missing && flag&os.O_CREATE != 0 && !p.step() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrPower}
	}
	file, err := p.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	if p.files[name] == nil {
		p.files[name] = new(image)
	}
	return &cutFile{File: file, of: p, image: p.files[name]}, nil
}

// Remove takes a file away, as far as the living see: its name is on the disk until the directory is
// synced.
func (p *PowerCut) Remove(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.step() {
		return ErrPower
	}
	return p.OS.Remove(name)
}

// SyncDir makes the names of all files there durable.
func (p *PowerCut) SyncDir(dir string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.step() {
		return ErrPower
	}
	for name, image := range p.files {
		if filepath.Dir(name) == filepath.Clean(dir) {
			_, err := p.OS.Stat(name)
			image.named = err == nil
		}
	}
	return nil
}

// cutFile is a file whose writes are remembered until they are synced.
type cutFile struct {
	disk.File
	of    *PowerCut
	image *image
}

func (f *cutFile) WriteAt(text []byte, at int64) (int, error) {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if f.of.steps > f.of.at {
		return 0, ErrPower
	}
	f.image.since = append(f.image.since, change{at: at, text: slices.Clone(text)})
	if !f.of.step() {
		return 0, ErrPower
	}
	return f.File.WriteAt(text, at)
}

func (f *cutFile) Truncate(size int64) error {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if f.of.steps > f.of.at {
		return ErrPower
	}
	f.image.since = append(f.image.since, change{at: size, cut: true})
	if !f.of.step() {
		return ErrPower
	}
	return f.File.Truncate(size)
}

// SyncData syncs nothing: no power will really go.
func (f *cutFile) SyncData() error {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if !f.of.step() {
		return ErrPower
	}
	f.image.synced = f.image.survive(Everything)
	f.image.since = nil
	return nil
}

// Reserve changes nothing that a reader sees.
func (f *cutFile) Reserve(end, size int64) error {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if !f.of.step() {
		return ErrPower
	}
	return f.File.Reserve(end, size)
}

// Survival says how much of a change that was not synced is on the disk after all: of a write the
// first so many of its bytes, none for one that is lost whole. It is the i-th of n, in a file.
type Survival func(i, n, bytes int) int

// Everything is that nothing was lost, but for what the last step was to do.
func Everything(_, _, bytes int) int { return bytes }

// Nothing is that all that was not synced is lost.
func Nothing(int, int, int) int { return 0 }

// Torn is that the last write ends after a part of it, in percent.
func Torn(percent int) Survival {
	return func(i, n, bytes int) int {
		if i == n-1 {
			return bytes * percent / 100
		}
		return bytes
	}
}

// Without is that all are there but every n-th, from the first on.
func Without(first, every int) Survival {
	return func(i, _, bytes int) int {
		if i%every == first {
			return 0
		}
		return bytes
	}
}

// survive returns what is on the disk. What lies before a change that is there, and is not, is
// zeros.
func (m *image) survive(s Survival) []byte {
	text := slices.Clone(m.synced)
	for i, c := range m.since {
		if c.cut {
			if s(i, len(m.since), 1) > 0 {
				text = append(text, make([]byte, max(0, int(c.at)-len(text)))...)[:c.at]
			}
			continue
		}
		if n := s(i, len(m.since), len(c.text)); n > 0 {
			end := int(c.at) + n
			text = append(text, make([]byte, max(0, end-len(text)))...)
			copy(text[c.at:end], c.text)
		}
	}
	return text
}

// Restart writes into a directory what the files are when the power is back. A file whose name was
// not on the disk is there where named says so.
func (p *PowerCut) Restart(dir string, s Survival, named bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		image := p.files[name]
		to := filepath.Join(dir, filepath.Base(name))
		if !image.named && !named {
			if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := os.WriteFile(to, image.survive(s), 0o600); err != nil {
			return err
		}
	}
	return nil
}
