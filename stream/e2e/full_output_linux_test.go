package e2e

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAppendToAFullDisk: of a write that the disk took a part of the whole lines stay and count,
// and nothing is left of the one that was torn.
func TestAppendToAFullDisk(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"result", "text"} {
		t.Run(format, func(t *testing.T) {
			j := newAppendJob(t)
			// Larger than the ledger gets, so that only the output meets the limit.
			before := strings.Repeat(`{"id":"before","content":"`+strings.Repeat("x", 1000)+`"}`+"\n", 1000)
			writeFile(t, j.dir, "out", before)
			run := func(room uint64) (p *process, code int) {
				t.Helper()
				p = j.command("out", appendTo)
				p.Args = append(p.Args, "-f", format)
				stdin, err := p.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				p.starts(t)
				if room > 0 {
					limit := unix.Rlimit{Cur: uint64(len(before)) + room, Max: unix.RLIM_INFINITY}
					if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
						t.Fatal(err)
					}
				}
				_, _ = bytes.NewReader(j.prompts).WriteTo(stdin) // a run that fails reads no more
				_ = stdin.Close()
				return p, p.wait(t)
			}
			if p, code := run(5000); code != 1 || !strings.Contains(p.err.String(), "error: writing to stdout: ") {
				t.Fatalf("exit %d: %s", code, &p.err)
			}
			text, ok := strings.CutPrefix(readFile(t, j.dir, "out"), before)
			if !ok || text == "" || !strings.HasSuffix(text, "\n") {
				t.Errorf("%d bytes behind what was there, at their end %q", len(text), text[max(0, len(text)-20):])
			}
			if p, code := run(0); code != 0 {
				t.Fatalf("exit %d: %s", code, &p.err)
			}
			text, _ = strings.CutPrefix(readFile(t, j.dir, "out"), before)
			if format == "result" {
				out := parseOutput([]byte(text))
				checkOnceEach(t, "output", out.ids, appendRecords)
				if out.torn > 0 {
					t.Errorf("%d torn lines", out.torn)
				}
			}
			if n := len(splitLines(text)); n != appendRecords {
				t.Errorf("%d lines, want %d", n, appendRecords)
			}
			j.checkAsked()
		})
	}
}
