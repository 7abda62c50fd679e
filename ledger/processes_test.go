package ledger

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// writerEnv makes the test binary a process that writes to a ledger; its value is the ledger's path
// and the process's number.
const writerEnv = "LEDGER_TEST_WRITER"

func TestMain(m *testing.M) {
	if path, number, ok := strings.Cut(os.Getenv(writerEnv), "\n"); ok {
		if err := runWriter(path, number); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if path, ok := os.LookupEnv(holderEnv); ok {
		if err := runHolder(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const (
	writers       = 8
	writerCommits = 12
	batchResults  = 4
)

// runWriter commits results of its own, and prints the number of each once it is safe.
func runWriter(path, number string) error {
	process, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	l, err := Open(path, Options{Run: RunInfo{ID: "writer" + number, Time: testTime()}})
	if err != nil {
		return err
	}
	for commit := range writerCommits {
		var b Group
		for i := range batchResults {
			b.Results = append(b.Results, writerResult((process*writerCommits+commit)*batchResults+i))
		}
		if err := l.Commit(&b); err != nil {
			return err
		}
		for i := range b.Results {
			if l.Look(keyOf(&b.Results[i])).Result == 0 {
				return fmt.Errorf("%s was committed and is not found", b.Results[i].ID)
			}
			if _, err := fmt.Printf("%s\n", bytes.Trim(b.Results[i].ID, `"r`)); err != nil {
				return err
			}
		}
	}
	return l.Close()
}

// writerResult is of very different lengths, so that a write takes long enough for a kill to hit
// it.
func writerResult(n int) Result {
	r := testResult(n)
	r.Response = fmt.Appendf(nil, "%q", strings.Repeat("x", (n%17)*(n%17)*50))
	return r
}

func TestProcessesShareALedgerAndSomeAreKilled(t *testing.T) {
	path := testPath(t)
	random := rand.New(rand.NewPCG(1, 2))
	var group sync.WaitGroup
	safe := make([][]int, writers)
	for number := range writers {
		killAfter := -1
		if number%2 == 1 {
			killAfter = random.IntN(writerCommits * batchResults)
		}
		group.Go(func() { safe[number] = runWriterProcess(t, path, number, killAfter) })
	}
	group.Wait()

	// One more commit, for the tail that a killed one may have left.
	var warned []string
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "last"}, Warn: func(s string) { warned = append(warned, s) }})
	mustCommit(t, l, resultsOf(1e6, 1e6+1))
	for number, numbers := range safe {
		if number%2 == 0 && len(numbers) != writerCommits*batchResults {
			t.Errorf("writer %d was left alone and committed %d results", number, len(numbers))
		}
		for _, n := range numbers {
			checkHas(t, l, writerResult(n))
		}
	}
	times := make(map[string]int)
	err := Scan(path, nil, func(e Entry) error {
		if e.Result != nil {
			times[string(e.Result.ID)]++
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	if got := l.Summary().Results; got != int64(len(times)) {
		t.Errorf("%d results indexed, %d in the file", got, len(times))
	}
	t.Logf("%d results; warned %q", len(times), warned)
}

// runWriterProcess returns the numbers that the process said were safe. It kills it when it has
// said so of as many as killAfter, unless that is negative.
func runWriterProcess(t *testing.T, path string, number, killAfter int) (safe []int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%d", writerEnv, path, number))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return nil
	}
	lines := bufio.NewReader(stdout)
	for {
		if len(safe) == killAfter {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			break
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Error(err)
		}
		safe = append(safe, n)
	}
	if err := cmd.Wait(); err != nil && killAfter < 0 {
		t.Errorf("writer %d: %v: %s", number, err, stderr.String())
	}
	return safe
}

func TestACommitLearnsWhatOthersCommitted(t *testing.T) {
	path := testPath(t)
	a, b := mustOpen(t, path, Options{}), mustOpen(t, path, Options{})
	mustCommit(t, a, resultsOf(0, 2))
	r := testResult(0)
	if b.Look(keyOf(&r)).Result != 0 {
		t.Error("known before a commit of its own")
	}
	mustCommit(t, b, resultsOf(2, 3))
	mustCommit(t, a, resultsOf(3, 4))
	for _, l := range []*Ledger{a, b} {
		for n := range 3 {
			checkHas(t, l, testResult(n))
		}
	}
	if a.Summary().Results != 4 || b.Summary().Results != 3 {
		t.Errorf("%+v and %+v", a.Summary(), b.Summary())
	}
}

func TestReadersBesideACommitter(t *testing.T) {
	const records = 300
	l := mustOpen(t, testPath(t), Options{Fsync: FsyncNever})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			var got Result
			for known := 0; known < records; {
				want := testResult(known)
				ref := l.Look(keyOf(&want)).Result
				if ref == 0 {
					continue
				}
				if err := l.ReadMatch(ref, want.ID, &want.Request, &got); err != nil {
					t.Error(err)
					return
				}
				_ = l.Summary()
				known++
			}
		})
	}
	for n := 0; n < records; n += 3 {
		if err := l.Commit(resultsOf(n, n+3)); err != nil {
			t.Error(err)
			break
		}
	}
	group.Wait()
}
