//go:build unix

package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"llmpipe/ledger"
)

// What llmpipe costs, measured. The benchmarks of this file run the command as a process, against
// the simulator as another; those of the packages stand beside what they measure. Each takes three
// minutes at most and needs nothing but Go, but others at work on the same machine disturb all of
// them.
//
//	go test -run '^$' -bench Overhead -benchtime 1x ./stream
//		The filter and a bare net/http loop that sends the same bytes, in turn: requests a second,
//		CPU microseconds and allocations a record, peak memory, and the ratios of the first two as
//		medians of the pairs.
//	go test -run '^$' -bench Resume -benchtime 1x ./stream
//		A million recorded results: seconds to the first new request, when the new record comes
//		first and when it comes last.
//	go test -run '^$' -bench Replay ./stream
//		Recorded answers written again: megabytes of ledger a second.
//	go test -run '^$' -bench Memory -benchtime 1x ./stream/e2e
//		Peak memory for ten thousand and for a million records, without a ledger and with one; of
//		a million records, how fast the last 100,000 were against the first, where the run without
//		a ledger shows how steady the machine is.
//	go test -run '^$' -bench Grown -benchtime 1x ./stream/e2e
//		How fast 100,000 records go into a ledger of 900,000 results, as a part of how fast they
//		go into a new one: the same question as the last of those above, asked so that the
//		machine's own ups and downs cancel out: the median of pairs.
//	go test -run '^$' -bench InFlight -benchtime 1x ./stream/e2e
//		Requests a second at 1,024 and 2,000 in flight, and which part that is of what the latency
//		allows.
//	go test -run '^$' -bench LargeBodies -benchtime 1x ./stream/e2e
//		Peak memory with bodies of 10 MB, 8 in flight.
//	go test -run '^$' -bench LargeAnswers -benchtime 1x ./stream/e2e
//		Peak memory with answers of 5 MB, 32 in flight, with and without their length, as streams, in
//		input order, and recalled; with errors of 60 MB; with answers that never end and such as are
//		so when they are decompressed.
//	go test -run '^$' -bench Start ./stream/e2e
//		Milliseconds from starting the command to its first byte of output, those of a program
//		that sends the same request with net/http and does nothing else, and the ratio of the two
//		as a median of pairs.
//	go test -run '^$' -bench Binary -benchtime 1x ./stream/e2e
//		The size of the command, stripped.
//	go test -run '^$' -bench . ./stream/record ./stream/provider ./limiter ./ledger
//		The parts: a line decoded, an answer parsed, a permit, a group commit, a ledger opened,
//		ten million ids indexed, the simulator.

// megabyte is the one of disks and of promises, a little less than what 1<<20 bytes are.
const megabyte = 1e6

// load is the input of a run: n records, numbered from first on, each with so many bytes of padding
// in its prompt.
type load struct{ first, n, padding int }

// generate writes the records to w, of about 100 bytes where they are not padded.
func (l load) generate(w io.WriteCloser) {
	b := bufio.NewWriter(w)
	padding := strings.Repeat("x", l.padding)
	for i := l.first; i < l.first+l.n; i++ {
		fmt.Fprintf(b, `{"id":%d,"prompt":"record number %d of many, all of about the same length%s","max_tokens":20}`+"\n", i, i, padding)
	}
	_ = b.Flush()
	_ = w.Close()
}

// figures are what a run took.
type figures struct {
	took time.Duration
	peak float64 // megabytes of memory
	// The time until the first output, for the first, and for the last so many records' output.
	start, first, last time.Duration
}

// ends is how many records at the start and at the end of a million are compared.
const ends = 100_000

// measure runs llmpipe over l, of which every record is answered.
func measure(b *testing.B, dir string, l load, args ...string) figures {
	b.Helper()
	f, code := measureAny(b, dir, l, args...)
	if code != 0 {
		b.Fatalf("exit %d", code)
	}
	return f
}

// measureAny runs llmpipe over l, and returns its exit code as well.
func measureAny(b *testing.B, dir string, l load, args ...string) (figures, int) {
	b.Helper()
	p := llmpipe(b, dir, append([]string{"-m", "m", "-q"}, args...)...)
	in, err := p.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.Stdout = nil
	out, err := p.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	done, peaked := make(chan struct{}), make(chan int)
	go func() {
		most := 0
		for {
			select {
			case <-done:
				peaked <- most
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, peakMemory(p.Process.Pid))
			}
		}
	}()
	go l.generate(in)
	f := timeLines(out, start, l.n)
	code := p.wait(b)
	close(done)
	f.peak = float64(<-peaked) / megabyte
	if p.err.String() != "" {
		b.Logf("exit %d: %s", code, &p.err)
	}
	return f, code
}

// timeLines reads out to its end, and notes when so many of the n lines had come.
func timeLines(out io.Reader, start time.Time, n int) figures {
	var f figures
	var before time.Time // of the last lines
	lines := 0
	buf := make([]byte, 256<<10)
	for {
		k, err := out.Read(buf)
		lines += bytes.Count(buf[:k], []byte("\n"))
		if f.start == 0 {
			f.start = time.Since(start)
		}
		if f.first == 0 && lines >= ends {
			f.first = time.Since(start)
		}
		if before.IsZero() && lines >= n-ends {
			before = time.Now()
		}
		if err != nil {
			f.took, f.last = time.Since(start), time.Since(before)
			return f
		}
	}
}

// BenchmarkMemory is the peak memory for ten thousand and for a million records, without a ledger
// and with one; and, of the million, the speed of the last records as a part of that of the first.
func BenchmarkMemory(b *testing.B) {
	sim := startSim(b, "latency=0&output=10")
	for b.Loop() {
		dir := b.TempDir()
		for _, n := range []int{10_000, 1_000_000} {
			plain := measure(b, dir, load{n: n}, "--base-url", sim.URL, "-c", "64", "--no-ledger")
			b.ReportMetric(plain.peak, fmt.Sprintf("MB/%d", n))
			kept := measure(b, dir, load{n: n}, "--base-url", sim.URL, "-c", "64", "-l", fmt.Sprint(n, ".ledger.jsonl"))
			b.ReportMetric(kept.peak, fmt.Sprintf("MB/%d-ledger", n))
			if n > 2*ends {
				b.ReportMetric(plain.first.Seconds()/plain.last.Seconds(), "last/first")
				b.ReportMetric(kept.first.Seconds()/kept.last.Seconds(), "last/first-ledger")
				b.ReportMetric(float64(n)/plain.took.Seconds(), "records/s")
				b.ReportMetric(float64(n)/kept.took.Seconds(), "records/s-ledger")
			}
		}
	}
}

// BenchmarkGrown is the speed of the last 100,000 of a million records as a part of that of the
// first, by runs in turn over one ledger that holds the others, and over new ones.
func BenchmarkGrown(b *testing.B) {
	const pairs, before = 7, 9 * ends
	sim := startSim(b, "latency=0&output=10")
	for b.Loop() {
		dir := b.TempDir()
		recordNumbers(b, filepath.Join(dir, "grown.jsonl"), before)
		speed := func(l load, path string) float64 {
			f := measure(b, dir, l, "--base-url", sim.URL, "-c", "64", "-l", path)
			return float64(l.n) / (f.took - f.start).Seconds()
		}
		var ratios, fresh []float64
		for i := range pairs {
			l := load{first: before + i*ends, n: ends}
			fresh = append(fresh, speed(l, fmt.Sprint("new", i, ".jsonl")))
			ratios = append(ratios, speed(l, "grown.jsonl")/fresh[i])
		}
		b.ReportMetric(median(ratios), "grown/new")
		b.ReportMetric(ratios[0], "grown/new-least")
		b.ReportMetric(ratios[pairs-1], "grown/new-most")
		b.ReportMetric(median(fresh), "records/s-new")
	}
}

// recordNumbers makes a ledger with results for the ids below n.
func recordNumbers(b *testing.B, path string, n int) {
	b.Helper()
	l, err := ledger.Open(path, ledger.Options{Fsync: ledger.FsyncNever})
	if err != nil {
		b.Fatal(err)
	}
	answer := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1750000000,"model":"m","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"an answer of a few words, as most of them are"},"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}}`)
	var group ledger.Group
	for i := range n {
		id := fmt.Append(nil, i)
		group.Results = append(group.Results, ledger.Result{
			Record: ledger.Record{
				ID: id, Request: sha256.Sum256(id), Endpoint: "chat", Model: "m",
				Provider: "somewhere", Attempts: 1, Time: time.Now(),
			},
			Response: answer,
		})
		if len(group.Results) == 1000 || i == n-1 {
			if err := l.Commit(&group); err != nil {
				b.Fatal(err)
			}
			group.Reset()
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	syscall.Sync() // what is to be written by then would be in the way of the runs
}

// BenchmarkInFlight is how many requests a second there are with so many in flight, and which part
// that is of what the latency allows.
func BenchmarkInFlight(b *testing.B) {
	for _, c := range []struct {
		inFlight int
		latency  time.Duration
	}{{1024, 500 * time.Millisecond}, {2000, time.Second}} {
		b.Run(fmt.Sprint(c.inFlight), func(b *testing.B) {
			const rounds = 20
			sim := startSim(b, "output=10&latency="+c.latency.String())
			for b.Loop() {
				n := rounds * c.inFlight
				f := measure(b, b.TempDir(), load{n: n}, "--base-url", sim.URL, "-c", fmt.Sprint(c.inFlight), "--no-ledger")
				rate := float64(n) / f.took.Seconds()
				b.ReportMetric(rate, "requests/s")
				b.ReportMetric(rate*c.latency.Seconds()/float64(c.inFlight), "of-possible")
				b.ReportMetric(f.peak, "MB")
			}
		})
	}
}

// BenchmarkLargeBodies is the peak memory with bodies of 10 MB.
func BenchmarkLargeBodies(b *testing.B) {
	sim := startSim(b, "latency=10ms&output=10")
	for b.Loop() {
		f := measure(b, b.TempDir(), load{n: 60, padding: 10 * megabyte}, "--base-url", sim.URL, "-c", "8", "-l", "l.jsonl")
		b.ReportMetric(f.peak, "MB")
		b.ReportMetric(60*10/f.took.Seconds(), "MB/s")
	}
}

// BenchmarkStart starts the command as it is installed, to ask for one record, and in turn a
// program that does the same with net/http and nothing else: what the machine, the system and Go's
// runtime take is in both.
func BenchmarkStart(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	command, bare := build(b, root), build(b, root+"/testdata/bare")
	var ours, theirs, ratios []float64
	for b.Loop() {
		took := firstByte(b, command, "--base-url", server.URL, "-m", "m", "--no-ledger")
		least := firstByte(b, bare, server.URL)
		ours, theirs, ratios = append(ours, took), append(theirs, least), append(ratios, took/least)
	}
	b.ReportMetric(median(ours), "ms-to-first-byte")
	b.ReportMetric(median(theirs), "ms-of-bare")
	b.ReportMetric(median(ratios), "of-bare")
}

// firstByte returns the milliseconds until a command that is given a prompt writes something.
func firstByte(b *testing.B, path string, args ...string) float64 {
	cmd := exec.Command(path, args...)
	cmd.Env = cleanEnv()
	cmd.Stdin = strings.NewReader(`"hello"` + "\n")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_, err = io.ReadFull(out, make([]byte, 1))
	took := time.Since(start)
	_, _ = io.Copy(io.Discard, out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		b.Fatalf("%s: %v\n%s", path, err, &said)
	}
	return float64(took.Microseconds()) / 1000
}

// median sorts the values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// build makes a program as users have it, and returns its name.
func build(b *testing.B, pkg string) string {
	name := filepath.Join(b.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", name, pkg).CombinedOutput(); err != nil {
		b.Fatal(errors.Join(err, errors.New(string(out))))
	}
	return name
}

// BenchmarkBinary is the size of the command, stripped.
func BenchmarkBinary(b *testing.B) {
	for b.Loop() {
		info, err := os.Stat(build(b, root))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/megabyte, "MB")
	}
}
