package disk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestIDTellsFilesApart(t *testing.T) {
	dir := t.TempDir()
	ids := make(map[ID]bool)
	for _, name := range []string{"a", "b", "a"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		id, ok := IDOf(f)
		if !ok {
			t.Errorf("no identity for the regular file %s", name)
		}
		ids[id] = true
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(ids) != 2 {
		t.Errorf("%d identities for two files", len(ids))
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := IDOf(w); ok {
		t.Error("a pipe has an identity")
	}
	if err := errors.Join(r.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
}

func openFile(t *testing.T, name string) File {
	t.Helper()
	f, err := OS{}.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // some are closed by then
	return f
}

func TestOneHolderOfALockAtATime(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, second := openFile(t, name), openFile(t, name)
	if err := first.Lock(); err != nil {
		t.Fatal(err)
	}
	if held, err := second.TryLock(); held || err != nil {
		t.Errorf("while it is held: %v, %v", held, err)
	}
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	if held, err := second.TryLock(); !held || err != nil {
		t.Errorf("when it was given back: %v, %v", held, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if held, err := first.TryLock(); !held || err != nil {
		t.Errorf("when its holder has closed the file: %v, %v", held, err)
	}
	if err := RemoveLocked(OS{}, name, first); err != nil {
		t.Fatal(err)
	}
	if _, err := (OS{}).Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the removed file: %v", err)
	}
}
