package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the top of the repository, from where the tests of a package are run.
const root = "../.."

// TestMain runs the tests with the command first on the PATH. More of them run at once than there
// are cores, unless the command line says how many: they wait for most of their time, for a slow
// answer or a retry.
func TestMain(m *testing.M) {
	if !race {
		_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	}
	flag.Parse()
	os.Exit(withCommand(m.Run))
}

// withCommand builds the command for the time of run.
func withCommand(run func() int) int {
	dir, err := os.MkdirTemp("", "llmpipe-e2e")
	if err == nil {
		defer os.RemoveAll(dir)
		err = buildCommand(filepath.Join(dir, "llmpipe"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return run()
}

// buildCommand builds llmpipe as the file name. It is watched as the tests are, for races and for
// what they cover, and like them built without git's stamp, which needs a checkout that belongs to
// whoever runs the tests.
func buildCommand(name string) error {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	args := []string{"build", "-buildvcs=false", "-o", name}
	if race {
		args = append(args, "-race")
	}
	if counters := flag.Lookup("test.gocoverdir").Value.String(); counters != "" {
		args = append(args, "-cover", "-covermode="+testing.CoverMode())
		_ = os.Setenv("GOCOVERDIR", counters)
	}
	if out, err := exec.Command("go", append(args, root)...).CombinedOutput(); err != nil {
		return fmt.Errorf("building llmpipe: %w\n%s", err, out)
	}
	return nil
}

// lookAtSources opens what the command is built from. go test keeps a result for as long as the
// files that a test opened stay as they are, and does not see those that the compiler opened; nor
// does it see what is opened before the first test runs.
var lookAtSources = sync.OnceFunc(func() {
	for _, top := range []string{"main.go", "go.mod", "go.sum", "ledger", "limiter", "stream"} {
		if err := filepath.WalkDir(filepath.Join(root, top), func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			panic(err)
		}
	}
})

// simServer is `llmpipe sim` as a separate process.
type simServer struct {
	URL string // up to /v1
	cmd *exec.Cmd
}

// startSim starts the simulated provider with options as after "sim:?". It ends with the test.
func startSim(t testing.TB, options string) *simServer {
	t.Helper()
	cmd := exec.Command("llmpipe", "sim", "--listen", "127.0.0.1:0", options)
	cmd.Env = cleanEnv()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		t.Fatalf("the simulator did not start: %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	_, url, ok := strings.Cut(strings.TrimSpace(line), "http://")
	if !ok {
		t.Fatalf("the simulator did not say where it is: %q", line)
	}
	return &simServer{URL: "http://" + url, cmd: cmd}
}

// simCounts are those of a simulator's numbers that tests look at.
type simCounts struct {
	Requests         int            `json:"requests"`
	Answered         int            `json:"answered"`
	ByStatus         map[string]int `json:"by_status"`
	Faults           map[string]int `json:"faults"`
	Models           modelCounts    `json:"models"`
	PromptTokens     int64          `json:"prompt_tokens"`
	CompletionTokens int64          `json:"completion_tokens"`
	PeakInFlight     int            `json:"peak_in_flight"`
	Billed           int64          `json:"billed_nanos"`
	Batch            batchCounts    `json:"batch"`
}

// modelCounts are the answers and tokens of each model.
type modelCounts map[string]struct {
	Answered         int   `json:"answered"`
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
}

// stats asks the simulator what it was asked so far.
func (s *simServer) stats(t testing.TB) simCounts {
	t.Helper()
	var c simCounts
	s.get(t, "/stats", &c)
	return c
}

// get reads what the simulator has at path, outside of its API, into v.
func (s *simServer) get(t testing.TB, path string, v any) {
	t.Helper()
	res, err := http.Get(strings.TrimSuffix(s.URL, "/v1") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// process is a run of llmpipe whose output is collected.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

// llmpipe prepares a run of the command in a directory of its own, with an environment that holds
// no key and no configuration.
func llmpipe(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("llmpipe", args...)}
	p.Dir = dir
	p.Env = cleanEnv()
	p.Stdout, p.Stderr = &p.out, &p.err
	return p
}

// endAtOnce has the race detector end a process without the second that it would sleep.
const endAtOnce = "GORACE=atexit_sleep_ms=0"

// shell prepares a run of a shell's script, with args as $1 and so on, as llmpipe does for a
// command.
func shell(t testing.TB, dir, script string, args ...string) *process {
	t.Helper()
	p := llmpipe(t, dir)
	p.Path, p.Args = "/bin/sh", append([]string{"sh", "-c", script, "sh"}, args...)
	return p
}

// cleanEnv is the environment for the command, without what would configure it.
func cleanEnv() []string {
	lookAtSources()
	env := []string{endAtOnce}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "OPENAI_") && !strings.HasPrefix(kv, "ANTHROPIC_") && !strings.HasPrefix(kv, "LLMPIPE_") &&
			!strings.HasPrefix(kv, "CI=") {
			env = append(env, kv)
		}
	}
	return env
}

// exits runs p to its end, which must be with this exit code.
func (p *process) exits(t testing.TB, want int) {
	t.Helper()
	if code := p.exit(t); code != want {
		t.Fatalf("%v: exit %d, want %d: %s", p.Args[1:], code, want, &p.err)
	}
}

// starts runs p without waiting for its end.
func (p *process) starts(t testing.TB) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// exit runs p to its end and returns its exit code, as a shell would give it.
func (p *process) exit(t testing.TB) int {
	t.Helper()
	p.starts(t)
	return p.wait(t)
}

// wait waits for p, which was started, and returns its exit code, as a shell would give it. It
// kills one that hangs.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	hangs := time.AfterFunc(tooLong, func() { _ = p.Process.Kill() })
	_ = p.Wait()
	if !hangs.Stop() {
		t.Errorf("%v hung, and said\n%s", p.Args[1:], &p.err)
	}
	status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.ProcessState.ExitCode()
}

// says fails the test unless all of these words are in what p said on stderr.
func (p *process) says(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(p.err.String(), w) {
			t.Errorf("%v: no %q in\n%s", p.Args[1:], w, &p.err)
		}
	}
}

// lines splits p's stdout.
func (p *process) lines() []string { return splitLines(p.out.String()) }

func splitLines(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' })
}

// numbered are the lines of simple records with the ids from first to last.
func numbered(first, last int) string {
	return repeat(first, last, func(i int) string { return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %[1]d"}`, i) })
}

// repeat are the lines that line gives for the numbers from first to last.
func repeat(first, last int, line func(i int) string) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		b.WriteString(line(i) + "\n")
	}
	return b.String()
}

// writePrompts writes a file of n simple records with the ids 1 to n, and returns its name.
func writePrompts(t testing.TB, dir string, n int) string {
	t.Helper()
	return writeFile(t, dir, "prompts.jsonl", numbered(1, n))
}

// writeFile writes a file in dir, and returns its name.
func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// tooLong is a time that only what hangs takes, however busy the machine is.
const tooLong = 5 * time.Minute

// eventually polls until ok, and fails if that takes too long.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(tooLong); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// readJSON reads a file in dir into v.
func readJSON(t testing.TB, dir, name string, v any) {
	t.Helper()
	if text := readFile(t, dir, name); json.Unmarshal([]byte(text), v) != nil {
		t.Fatalf("%s holds %s", name, text)
	}
}

// readFile returns what a file in dir holds.
func readFile(t testing.TB, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sortedLines are the lines of a text in order.
func sortedLines(text string) string {
	lines := splitLines(text)
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
