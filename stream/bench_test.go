package stream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/sim"
)

// The benchmarks of all packages are listed at the head of e2e/bench_test.go.
//
// Those below start the simulator in a process of its own: this test binary, run again with the
// variable below in its environment. What they measure of this process is then the client's part
// alone.
const benchSim = "LLMPIPE_BENCH_SIM"

func TestMain(m *testing.M) {
	if options, ok := os.LookupEnv(benchSim); ok {
		if err := serveBenchSim(options); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveBenchSim says its address on stdout, and serves until stdin ends.
func serveBenchSim(options string) error {
	o, err := sim.ParseOptions(options)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/v1\n", l.Addr())
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return sim.New(o).Serve(ctx, l)
}

// startBenchSim starts the simulator, and returns its base URL.
func startBenchSim(b *testing.B, options string) string {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchSim+"="+options)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// batchLines are n batch lines of about 1.2 KB, made as they are read: what a benchmark holds in
// memory is not the input's.
type batchLines struct {
	n    int
	i    int
	line []byte // of line i, what is not yet read
	buf  []byte
}

func newBatchLines(n int) *batchLines { return &batchLines{n: n} }

var padding = strings.Repeat("lorem ipsum dolor sit amet ", 38)

// appendBody appends the body of line i.
func appendBody(dst []byte, i int) []byte {
	dst = append(dst, `{"model":"m","messages":[{"role":"user","content":"`...)
	dst = strconv.AppendInt(dst, int64(i), 10)
	dst = append(dst, ' ')
	dst = append(dst, padding...)
	return append(dst, `"}],"max_tokens":400}`...)
}

// Read implements io.Reader.
func (b *batchLines) Read(p []byte) (int, error) {
	if len(b.line) == 0 {
		if b.i == b.n {
			return 0, io.EOF
		}
		b.buf = append(b.buf[:0], `{"custom_id":"r`...)
		b.buf = strconv.AppendInt(b.buf, int64(b.i), 10)
		b.buf = append(b.buf, `","method":"POST","url":"/v1/chat/completions","body":`...)
		b.buf = append(appendBody(b.buf, b.i), "}\n"...)
		b.line = b.buf
		b.i++
	}
	n := copy(p, b.line)
	b.line = b.line[n:]
	return n, nil
}

// askBare is what the filter is compared with: the same bodies over a tuned transport, and the
// answers read and thrown away.
func askBare(b *testing.B, url string, records, inFlight int) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: inFlight, DisableCompression: true}
	defer transport.CloseIdleConnections()
	work := make(chan int)
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			var answer bytes.Buffer
			var body []byte
			for i := range work {
				body = appendBody(body[:0], i)
				req, err := http.NewRequest(http.MethodPost, url+"/chat/completions", bytes.NewReader(body))
				if err != nil {
					panic(err)
				}
				req.Header.Set("Content-Type", "application/json")
				res, err := transport.RoundTrip(req)
				if err != nil {
					panic(err)
				}
				answer.Reset()
				if _, err := answer.ReadFrom(res.Body); err != nil {
					panic(err)
				}
				_ = res.Body.Close()
			}
		})
	}
	for i := range records {
		work <- i
	}
	close(work)
	workers.Wait()
}

// askFilter runs the filter over input, with a ledger if path names one.
func askFilter(b *testing.B, url string, records, inFlight int, path string) {
	b.Helper()
	outcome, err := Run(b.Context(), Config{
		Stdin: newBatchLines(records), Stdout: io.Discard, Stderr: io.Discard, MaxLine: 64 << 20,
		Provider: provider.Config{BaseURL: url, Connections: inFlight},
		Pace:     limiter.Config{Concurrency: inFlight},
		Retries:  6,
		Ledger:   journal.Config{Path: path, Fsync: ledger.FsyncAlways},
	})
	if err != nil {
		b.Fatal(err)
	}
	if outcome.ExitCode() != ExitOK {
		b.Fatalf("%+v", outcome)
	}
}

// cost is what something took of this process.
type cost struct {
	wall, cpu   time.Duration
	allocations float64
	peak        float64 // megabytes of memory; 0 where the system does not tell
}

// measure runs f once.
func measure(f func()) cost {
	debug.FreeOSMemory()
	forgetPeak()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	f()
	c := cost{wall: time.Since(start), cpu: cpuTime() - cpu, peak: float64(peakMemory()) / 1e6}
	runtime.ReadMemStats(&after)
	c.allocations = float64(after.Mallocs - before.Mallocs)
	return c
}

// forgetPeak begins the measuring of memory anew, where linux is asked for it (proc(5),
// clear_refs).
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMemory is the most memory that this process has held since, in bytes.
func peakMemory() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, _ := strconv.Atoi(fields[0])
	return kilobytes << 10
}

// BenchmarkOverhead compares the filter with a bare loop over net/http that sends the same bytes,
// in turn, 64 at a time: the loop (bare), the filter, and the filter with a ledger that syncs each
// commit (ledger). Its figures are medians:
//
//	x/s, x-us, x-allocs, x-MB    requests a second, CPU microseconds and allocations a record, peak memory
//	x/bare, x-cpu                ratios to the loop of the same turn: of requests a second, and of CPU a record
func BenchmarkOverhead(b *testing.B) {
	const records, inFlight, turns = 20_000, 64, 7
	url := startBenchSim(b, "latency=0&output=60")
	askFilter(b, url, 2_000, inFlight, "") // warm up
	for b.Loop() {
		figures := map[string][]float64{}
		note := func(name string, v float64) { figures[name] = append(figures[name], v) }
		for i := range turns {
			bare := measure(func() { askBare(b, url, records, inFlight) })
			filter := measure(func() { askFilter(b, url, records, inFlight, "") })
			path := filepath.Join(b.TempDir(), fmt.Sprint(i))
			ledger := measure(func() { askFilter(b, url, records, inFlight, path) })
			for name, c := range map[string]cost{"bare": bare, "filter": filter, "ledger": ledger} {
				note(name+"/s", records/c.wall.Seconds())
				note(name+"-us", float64(c.cpu.Microseconds())/records)
				note(name+"-allocs", c.allocations/records)
				note(name+"-MB", c.peak)
				if name != "bare" {
					note(name+"/bare", bare.wall.Seconds()/c.wall.Seconds())
					note(name+"-cpu", c.cpu.Seconds()/bare.cpu.Seconds())
				}
			}
		}
		for name, values := range figures {
			b.ReportMetric(median(values), name)
		}
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkReplay writes recorded answers of about 1 KB again: megabytes of ledger a second.
func BenchmarkReplay(b *testing.B) {
	const records = 50_000
	url := startBenchSim(b, "latency=0&output=150")
	path := filepath.Join(b.TempDir(), "ledger.jsonl")
	askFilter(b, url, records, 64, path)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportMetric(float64(info.Size())/records, "B/record")
	for b.Loop() {
		askFilter(b, url, records, 64, path)
	}
}
