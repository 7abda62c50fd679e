package key

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// jwt is a token that says when it was issued, and when it ends.
func jwt(number int, issued, ends time.Time) string {
	claims := fmt.Sprintf(`{"n":%d,"iat":%d,"exp":%.3f}`, number, issued.Unix(), float64(ends.UnixMilli())/1000)
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
}

// printing hands out what print returns, and counts the runs, of which never two are at once.
func printing(t *testing.T, print func(run int) (string, error)) (*Source, *atomic.Int32) {
	var runs, running atomic.Int32
	s := Command("unused")
	s.print = func(context.Context, string) (string, error) {
		if running.Add(1) > 1 {
			t.Error("two runs at once")
		}
		defer running.Add(-1)
		time.Sleep(100 * time.Millisecond)
		return print(int(runs.Add(1)))
	}
	t.Cleanup(s.Close)
	return s, &runs
}

// A JWT is renewed when a minute of it is left, or a tenth of its life, and nobody waits for that.
func TestRenewedBeforeTheEnd(t *testing.T) {
	for _, c := range []struct{ life, before time.Duration }{{time.Hour, time.Minute}, {2 * time.Second, 200 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			s, runs := printing(t, func(run int) (string, error) { return jwt(run, time.Now(), time.Now().Add(c.life)), nil })
			first, err := s.Get(t.Context())
			if err != nil || runs.Load() != 1 {
				t.Fatalf("%v, %d runs", err, runs.Load())
			}
			printed, step := time.Now(), c.before/10
			for time.Since(printed) < c.life-c.before-3*step {
				if k, err := s.Get(t.Context()); err != nil || k != first {
					t.Fatalf("after %s: another key, %v", time.Since(printed), err)
				}
				time.Sleep(step)
			}
			synctest.Wait()
			if runs.Load() != 1 {
				t.Errorf("%d runs before it was time", runs.Load())
			}
			time.Sleep(5 * step)
			at := time.Now()
			if k, err := s.Get(t.Context()); err != nil || k != first || time.Since(at) > 0 {
				t.Errorf("the key that still holds: %v, after %s", err, time.Since(at))
			}
			time.Sleep(150 * time.Millisecond)
			if k, err := s.Get(t.Context()); err != nil || k == first || runs.Load() != 2 {
				t.Errorf("its successor: %v, %d runs", err, runs.Load())
			}
		})
	}
}

// A command that prints its key again until that ends is not run all the time.
func TestCommandThatKeepsItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := time.Now().Add(time.Hour)
		s, runs := printing(t, func(run int) (string, error) {
			if !time.Now().Before(ends) {
				ends = time.Now().Add(time.Hour)
			}
			return jwt(0, ends.Add(-time.Hour), ends), nil
		})
		for start := time.Now(); time.Since(start) < 3*time.Hour; time.Sleep(time.Second) {
			if _, err := s.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := runs.Load(); n > 7 {
			t.Errorf("%d runs in three hours of keys that live for one", n)
		}
	})
}

// However many are refused with one key, the command is run once; two fresh keys that are refused
// are the end.
func TestRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := printing(t, func(run int) (string, error) { return fmt.Sprint("key ", run), nil })
		k, err := s.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.Accept(k)
		rejectAll := func(k *Key) *Key {
			var all sync.WaitGroup
			var last atomic.Pointer[Key]
			for range 64 {
				all.Go(func() {
					n, err := s.Reject(t.Context(), k)
					if err != nil || n == k {
						t.Error("the refused key again, ", err)
					}
					last.Store(n)
				})
				time.Sleep(3 * time.Millisecond)
			}
			all.Wait()
			return last.Load()
		}
		second := rejectAll(k)
		if runs.Load() != 2 || second == nil {
			t.Fatalf("%d runs", runs.Load())
		}
		third := rejectAll(second) // fresh, and refused
		if runs.Load() != 3 || third == nil {
			t.Fatalf("%d runs", runs.Load())
		}
		if again, err := s.Reject(t.Context(), third); again != nil || err != nil || runs.Load() != 3 {
			t.Errorf("after two fresh ones: %v, %v, %d runs", again, err, runs.Load())
		}
	})
}

// A run that fails costs nothing while the key still holds, and is an error when it does not.
func TestRunFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		s, runs := printing(t, func(run int) (string, error) {
			if run > 1 && run < 4 {
				return "", broken
			}
			return jwt(run, time.Now(), time.Now().Add(time.Minute)), nil
		})
		first, err := s.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for start := time.Now(); time.Since(start) < 59*time.Second; time.Sleep(100 * time.Millisecond) {
			if k, err := s.Get(t.Context()); err != nil || k != first {
				t.Fatalf("while the first holds: %v", err)
			}
		}
		if n := runs.Load(); n < 2 || n > 3 {
			t.Errorf("%d runs", n)
		}
		time.Sleep(2 * time.Second)
		for {
			k, err := s.Get(t.Context())
			if err == nil {
				if k == first {
					t.Error("the key that has ended")
				}
				break
			}
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
		}
		if runs.Load() != 4 {
			t.Errorf("%d runs", runs.Load())
		}
	})
}

func TestFixed(t *testing.T) {
	s := Fixed("k")
	k, err := s.Get(t.Context())
	if err != nil || k.Text != "k" {
		t.Errorf("%v, %v", k, err)
	}
	s.Accept(k)
	if next, err := s.Reject(t.Context(), k); next != nil || err != nil {
		t.Errorf("another: %v, %v", next, err)
	}
	s.Close()
}

// What commands print, and how they fail. No error shows what stood on stdout.
func TestRun(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no shell")
	}
	left := filepath.Join(t.TempDir(), "left")
	for command, want := range map[string]struct{ key, says string }{
		"echo sk-1":                    {key: "sk-1"},
		"printf ' sk-1\\r\\n'":         {key: "sk-1"},
		"cat; echo sk-1":               {key: "sk-1"},
		"true":                         {says: "prints nothing"},
		"echo; echo please log in >&2": {says: "prints nothing: please log in"},
		"echo sk-secret; echo log in first >&2; exit 3":    {says: "exit status 3: log in first"},
		"echo sk-secret; echo sk-secret is bad >&2; false": {says: "exit status 1"},
		"echo sk-secret; echo sk-other":                    {says: "prints 2 lines"},
		"printf 'a\\tb'":                                   {says: "a control character"},
		"no-such-command-here":                             {says: "exit status 127"},
		"head -c 100000 /dev/zero | tr '\\0' x":            {says: "more than 65536 bytes"},
	} {
		got, err := run(t.Context(), command)
		if got != want.key || (err != nil) != (want.says != "") {
			t.Errorf("%s: %q, %v", command, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), want.says) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", command, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := run(ctx, "(sleep 1; touch "+left+") & sleep 20"); err == nil {
		t.Error("a command that never ends has ended")
	}
	time.Sleep(1200 * time.Millisecond)
	if _, err := os.Stat(left); err == nil {
		t.Error("what the command had started went on")
	}
}
