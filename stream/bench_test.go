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
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/provider"
)

// The benchmarks below start the simulator in a process of its own: this test binary, run again with the variable below in its
// environment. What they measure of this process is then the client's part alone.
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
	o, err := provider.ParseSimOptions(options)
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
	return provider.NewSim(o).Serve(ctx, l)
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

// batchLines are n batch lines of about 1.2 KB, made as they are read: what a benchmark holds in memory is not the input's.
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

// askBare is what the filter is compared with: the same bodies over a tuned transport, and the answers read and thrown away.
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
		Ledger:   LedgerConfig{Path: path, Fsync: ledger.FsyncAlways},
	})
	if err != nil {
		b.Fatal(err)
	}
	if outcome.ExitCode() != ExitOK {
		b.Fatalf("%+v", outcome)
	}
}

// measure runs f once, and returns its wall and CPU time.
func measure(f func()) (wall, cpu time.Duration) {
	before, start := cpuTime(), time.Now()
	f()
	return time.Since(start), cpuTime() - before
}

// BenchmarkOverhead compares the filter with a bare loop over net/http that sends the same bytes, in turn, 64 at a time. Its figures:
//
//	bare/s, filter/s, ledger/s   requests a second, medians: the loop, the filter, the filter with a ledger that syncs each commit
//	filter/bare, ledger/bare     ratios of requests a second, medians of the pairs
//	filter-cpu, ledger-cpu       ratios of CPU a record, medians of the pairs
func BenchmarkOverhead(b *testing.B) {
	const records, inFlight, pairs = 20_000, 64, 5
	url := startBenchSim(b, "latency=0&output=60")
	askFilter(b, url, 2_000, inFlight, "") // warm up
	for b.Loop() {
		figures := map[string][]float64{}
		note := func(name string, v float64) { figures[name] = append(figures[name], v) }
		for i := range pairs {
			bare, bareCPU := measure(func() { askBare(b, url, records, inFlight) })
			plain, plainCPU := measure(func() { askFilter(b, url, records, inFlight, "") })
			path := filepath.Join(b.TempDir(), fmt.Sprint(i))
			kept, keptCPU := measure(func() { askFilter(b, url, records, inFlight, path) })
			note("bare/s", records/bare.Seconds())
			note("filter/s", records/plain.Seconds())
			note("ledger/s", records/kept.Seconds())
			note("filter/bare", bare.Seconds()/plain.Seconds())
			note("ledger/bare", bare.Seconds()/kept.Seconds())
			note("filter-cpu", plainCPU.Seconds()/bareCPU.Seconds())
			note("ledger-cpu", keptCPU.Seconds()/bareCPU.Seconds())
			note("bare-us", float64(bareCPU.Microseconds())/records)
			note("filter-us", float64(plainCPU.Microseconds())/records)
			note("ledger-us", float64(keptCPU.Microseconds())/records)
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
