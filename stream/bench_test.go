package stream

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// batchLines are n batch lines of about 1.2 KB, whose answers are of about the same size.
func batchLines(n int) []byte {
	var b bytes.Buffer
	padding := strings.Repeat("lorem ipsum dolor sit amet ", 38)
	for i := range n {
		fmt.Fprintf(&b, `{"custom_id":"r%d","method":"POST","url":"/v1/chat/completions","body":{"model":"m",`+
			`"messages":[{"role":"user","content":"%d %s"}],"max_tokens":400}}`+"\n", i, i, padding)
	}
	return b.Bytes()
}

// askBare is what the filter is compared with: the same bodies over a tuned transport, and the answers read and thrown away.
func askBare(b *testing.B, url string, bodies [][]byte, inFlight int) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: inFlight, DisableCompression: true}
	defer transport.CloseIdleConnections()
	work := make(chan []byte)
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			var answer bytes.Buffer
			for body := range work {
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
	for _, body := range bodies {
		work <- body
	}
	close(work)
	workers.Wait()
}

// askFilter runs the filter over input, with a ledger if path names one.
func askFilter(b *testing.B, url string, input []byte, inFlight int, path string) {
	b.Helper()
	outcome, err := Run(b.Context(), Config{
		Stdin: bytes.NewReader(input), Stdout: io.Discard, Stderr: io.Discard, MaxLine: 64 << 20,
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
	input := batchLines(records)
	var bodies [][]byte
	for line := range bytes.Lines(input) {
		var l struct{ Body json.RawMessage }
		if err := json.Unmarshal(line, &l); err != nil {
			b.Fatal(err)
		}
		bodies = append(bodies, l.Body)
	}
	askFilter(b, url, batchLines(2_000), inFlight, "") // warm up
	for b.Loop() {
		figures := map[string][]float64{}
		note := func(name string, v float64) { figures[name] = append(figures[name], v) }
		for i := range pairs {
			bare, bareCPU := measure(func() { askBare(b, url, bodies, inFlight) })
			plain, plainCPU := measure(func() { askFilter(b, url, input, inFlight, "") })
			path := filepath.Join(b.TempDir(), fmt.Sprint(i))
			kept, keptCPU := measure(func() { askFilter(b, url, input, inFlight, path) })
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
	input, path := batchLines(records), filepath.Join(b.TempDir(), "ledger.jsonl")
	askFilter(b, url, input, 64, path)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportMetric(float64(info.Size())/records, "B/record")
	for b.Loop() {
		askFilter(b, url, input, 64, path)
	}
}
