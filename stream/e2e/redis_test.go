//go:build unix

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redisServer is a Redis of a test's own.
type redisServer struct {
	t    testing.TB
	dir  string
	args []string
	addr string
	cmd  *exec.Cmd
}

// startRedis starts a server that keeps nothing on disk, with more of its settings, on a free port
// of the loopback. It ends with the test. Where there is no redis-server the test is skipped.
func startRedis(t testing.TB, settings ...string) *redisServer {
	t.Helper()
	name, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not there (Debian and Ubuntu: apt-get install redis-server)")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{t: t, dir: t.TempDir(), addr: free.Addr().String()}
	_, port, _ := net.SplitHostPort(r.addr)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	r.args = append([]string{name, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir}, settings...)
	r.start()
	t.Cleanup(r.stop)
	return r
}

// start starts the server, empty unless it saved something, and waits until it answers, if only with a demand for a password.
func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command(r.args[0], r.args[1:]...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, "an answer of redis-server", func() bool { _, err := r.try("PING"); return err == nil })
}

// stop ends the server, also one that stands still.
func (r *redisServer) stop() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// url is the address of a job.
func (r *redisServer) url(job string) string { return "redis://" + r.addr + "/" + job }

// pause has the server stand still.
func (r *redisServer) pause(still bool) {
	r.t.Helper()
	signal := syscall.SIGCONT
	if still {
		signal = syscall.SIGSTOP
	}
	if err := r.cmd.Process.Signal(signal); err != nil {
		r.t.Fatal(err)
	}
}

// do has the server do something, and returns what it replies.
func (r *redisServer) do(words ...string) string {
	r.t.Helper()
	reply, err := r.try(words...)
	if err != nil {
		r.t.Fatalf("%s: %v", words[0], err)
	}
	return reply
}

// try sends an inline command, and returns the reply: a line, or what a bulk string holds.
func (r *redisServer) try(words ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", strings.Join(words, " ")); err != nil {
		return "", err
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	line = strings.TrimSuffix(line, "\r\n")
	if err != nil || !strings.HasPrefix(line, "$") {
		return line, err
	}
	size, err := strconv.Atoi(line[1:])
	if err != nil {
		return "", err
	}
	text := make([]byte, max(size, 0))
	for n := 0; n < len(text); {
		m, err := in.Read(text[n:])
		if err != nil {
			return "", err
		}
		n += m
	}
	return string(text), nil
}

var callsOfScripts = regexp.MustCompile(`cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)`)

// scripts are how many calls of scripts the server had, and how long they took it.
func (r *redisServer) scripts() (calls int, took time.Duration) {
	r.t.Helper()
	for _, m := range callsOfScripts.FindAllStringSubmatch(r.do("INFO", "commandstats"), -1) {
		n, _ := strconv.Atoi(m[1])
		usec, _ := strconv.Atoi(m[2])
		calls, took = calls+n, took+time.Duration(usec)*time.Microsecond
	}
	return calls, took
}

// TestShareTroubleAtTheStart: a server that does not do what it is asked is said before anything is
// asked of the provider, and the password is nowhere.
func TestShareTroubleAtTheStart(t *testing.T) {
	t.Parallel()
	const secret = "hushhush"
	open, locked := startRedis(t), startRedis(t, "--requirepass", secret)
	full, replica := startRedis(t, "--maxmemory", "1"), startRedis(t, "--replicaof", "127.0.0.1 1")
	sim := startSim(t, "latency=1ms")
	dir := t.TempDir()
	prompts := writePrompts(t, dir, 3)
	password := []string{"--share-password-env", "SECRET"}
	for _, tt := range []struct {
		name, url string
		args, env []string
		exit      int
		says      []string
	}{
		{name: "it is there", url: open.url("job")},
		{name: "a password that is right", url: locked.url("job"), args: password, env: []string{"SECRET=" + secret}},
		{
			name: "nobody there", url: "redis://127.0.0.1:1/job", exit: 75,
			says: []string{"redis://127.0.0.1:1/job: ", "refused", "hint: check that the server is up"},
		},
		{name: "no password", url: locked.url("job"), exit: 1, says: []string{"NOAUTH", "hint: name the variable that holds the password"}},
		{
			name: "a wrong password", url: locked.url("job"), args: password, env: []string{"SECRET=" + secret + "x"},
			exit: 1, says: []string{"WRONGPASS", "hint: check the password in the variable of --share-password-env"},
		},
		{name: "a variable that is not set", url: locked.url("job"), args: password, exit: 1, says: []string{"SECRET", "not set"}},
		{name: "a replica", url: replica.url("job"), exit: 75, says: []string{"READONLY", "hint: name the primary: this server is a replica"}},
		{name: "no memory", url: full.url("job"), exit: 75, says: []string{"OOM", "hint: raise the server's maxmemory"}},
	} {
		args := []string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "--no-ledger", "--share", tt.url, prompts}
		p := llmpipe(t, dir, append(args, tt.args...)...)
		p.Env = append(p.Env, tt.env...)
		before := sim.stats(t).Requests
		if code := p.exit(t); code != tt.exit {
			t.Errorf("%s: exit %d, want %d: %s", tt.name, code, tt.exit, &p.err)
		}
		for _, words := range tt.says {
			if !strings.Contains(p.err.String(), words) {
				t.Errorf("%s: it does not say %q: %s", tt.name, words, &p.err)
			}
		}
		if asked := sim.stats(t).Requests - before; tt.exit != 0 && asked > 0 {
			t.Errorf("%s: %d requests were sent", tt.name, asked)
		}
		if strings.Contains(p.err.String(), secret) {
			t.Errorf("%s: it shows the password: %s", tt.name, &p.err)
		}
	}
}

// TestShareOneBudget: processes with a ledger each spend one budget together, nearly all of it and
// no more, and a job of which all have ended has nothing lent any more.
func TestShareOneBudget(t *testing.T) {
	t.Parallel()
	redis, sim := startRedis(t), startSim(t, "latency=5ms")
	dir := t.TempDir()
	const processes, most = 4, 12_000 + 3_000
	prompts := writeBounded(t, dir, 3_000, always(20))
	const budget = 4_000_000
	var running []*process
	for i := range processes {
		p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "--share", redis.url("job"),
			"--budget", fmt.Sprint(budget/1e9), "--slice", fmt.Sprintf("%d/%d", i, processes), "-l", fmt.Sprintf("l%d.jsonl", i), prompts)
		p.starts(t)
		running = append(running, p)
	}
	for _, p := range running {
		if code := p.wait(t); code != 4 {
			t.Errorf("exit %d: %s", code, &p.err)
		}
	}
	if bill := sim.stats(t).bill(t); bill > budget || bill < budget-processes*most {
		t.Errorf("%d of %d were spent", bill, budget)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*.run-*")); len(names) > 0 || err != nil {
		t.Errorf("locks are left: %v, %v", names, err)
	}
}

// job is a command line of a process of a job, on a ledger of its own and one part of the input.
func (r *redisServer) job(t *testing.T, dir, baseURL, budget string, i, n int, args ...string) *process {
	return llmpipe(t, dir, append([]string{
		"--base-url", baseURL, "-m", "gpt-4o-mini", "--share", r.url("job"), "--budget", budget,
		"--slice", fmt.Sprintf("%d/%d", i, n), "-l", fmt.Sprintf("l%d.jsonl", i),
	}, args...)...)
}

// TestShareServerIsSilent: while the server stands still a run goes on with what is lent to it,
// then waits, and goes on by itself when the server does.
func TestShareServerIsSilent(t *testing.T) {
	t.Parallel()
	silent, budget := 3*time.Second, int64(4_000_000)
	if *long {
		silent, budget = 30*time.Second, 20_000_000
	}
	redis, sim := startRedis(t), startSim(t, "latency=50ms")
	dir := t.TempDir()
	prompts := writeBounded(t, dir, 3_000, always(100))
	var running []*process
	for i := range 2 {
		p := redis.job(t, dir, sim.URL, fmt.Sprint(float64(budget)/dollar), i, 2, "-c", "2", prompts)
		p.starts(t)
		running = append(running, p)
	}
	eventually(t, "answers", func() bool { return sim.stats(t).Answered > 40 })
	redis.pause(true)
	before := sim.stats(t).Answered
	time.Sleep(silent)
	during := sim.stats(t).Answered
	time.Sleep(silent / 10)
	if late := sim.stats(t).Answered; *long && late != during {
		t.Errorf("%d requests go although nothing can be lent any more", late-during)
	}
	redis.pause(false)
	for _, p := range running {
		if code := p.wait(t); code != 4 {
			t.Errorf("exit %d: %s", code, &p.err)
		}
	}
	bill := sim.stats(t).bill(t)
	t.Logf("%d answers before, %d while the server was silent, %d in all, for %d", before, during-before, sim.stats(t).Answered, bill)
	if during == before {
		t.Error("nothing was asked while the server was silent, although money was lent")
	}
	if bill > budget || bill < budget*95/100 {
		t.Errorf("%d of %d are spent", bill, budget)
	}
}

// TestShareServerIsGone: a run that needs more than is lent to it waits as long as it would for a
// provider, and the same command goes on when the server is there again, empty as it is.
func TestShareServerIsGone(t *testing.T) {
	t.Parallel()
	redis, sim := startRedis(t), startSim(t, "latency=20ms")
	dir := t.TempDir()
	prompts := writeBounded(t, dir, 400, always(100))
	run := func(want int) string {
		p := redis.job(t, dir, sim.URL, "0.006", 0, 1, "-c", "2", "--give-up", "1s", prompts)
		if want == 75 {
			p.starts(t)
			eventually(t, "answers", func() bool { return sim.stats(t).Answered > 10 })
			redis.stop()
			if code := p.wait(t); code != want {
				t.Errorf("exit %d: %s", code, &p.err)
			}
		} else {
			p.exits(t, want)
		}
		return p.err.String()
	}
	said := run(75)
	for _, words := range []string{redis.url("job"), "lent to this run", "hint: run the same command again"} {
		if !strings.Contains(said, words) {
			t.Errorf("it does not say %q: %s", words, said)
		}
	}
	redis.start()
	run(0)
	if n := sim.stats(t).Answered; n != 400 {
		t.Errorf("%d answers to 400 records", n)
	}
}

// TestShareServerWithOlderContents: a server that is begun again with an older snapshot, while no
// process of the job lives, lends nothing that was spent since.
func TestShareServerWithOlderContents(t *testing.T) {
	t.Parallel()
	redis, sim := startRedis(t), startSim(t, "latency=20ms")
	dir := t.TempDir()
	prompts := writeBounded(t, dir, 1_000, always(100))
	run := func(i int) *process { return redis.job(t, dir, sim.URL, "0.004", i, 2, "-c", "4", prompts) }
	first := run(0)
	first.starts(t)
	eventually(t, "answers", func() bool { return sim.stats(t).Answered > 10 })
	redis.do("SAVE")
	if code := first.wait(t); code != 4 {
		t.Fatalf("exit %d: %s", code, &first.err)
	}
	run(1).exits(t, 4)
	before := sim.stats(t).bill(t)
	redis.stop()
	redis.start()
	run(1).exits(t, 4)
	if bill := sim.stats(t).bill(t); bill != before {
		t.Errorf("%d are spent, and %d were before", bill, before)
	}
}

// TestShareABudgetThatOthersBring: a run that began without a budget stops when another brings one to
// the job, and keeps it when it goes on.
func TestShareABudgetThatOthersBring(t *testing.T) {
	t.Parallel()
	redis, sim := startRedis(t), startSim(t, "latency=20ms")
	dir := t.TempDir()
	prompts := writeBounded(t, dir, 20_000, always(100))
	free := func() *process {
		return llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "--share", redis.url("job"), "-c", "2",
			"--slice", "0/2", "-l", "l0.jsonl", prompts)
	}
	first, bound := free(), redis.job(t, dir, sim.URL, "1", 1, 2, "-c", "1", prompts)
	first.starts(t)
	eventually(t, "answers", func() bool { return sim.stats(t).Answered > 10 })
	bound.starts(t)
	if code := first.wait(t); code != 75 || !strings.Contains(first.err.String(), "another run of the job has --budget $1") {
		t.Errorf("exit %d: %s", code, &first.err)
	}
	again := free()
	again.starts(t)
	before := sim.stats(t).Answered
	eventually(t, "more answers", func() bool { return sim.stats(t).Answered > before+100 })
	_ = again.Process.Kill()
	_ = again.Wait()
	_ = bound.Process.Kill()
	_ = bound.Wait()
	if !strings.Contains(again.err.String(), "the job has --budget $1") {
		t.Errorf("the second time: %s", &again.err)
	}
}

// TestShareAtRest: a process that waits for its answers calls the server at most four times a
// second.
func TestShareAtRest(t *testing.T) {
	t.Parallel()
	redis, sim := startRedis(t), startSim(t, "latency=4s")
	dir := t.TempDir()
	p := redis.job(t, dir, sim.URL, "1", 0, 1, "-c", "2", "--rpm", "6000", writeBounded(t, dir, 2, always(100)))
	p.starts(t)
	eventually(t, "requests", func() bool { return sim.stats(t).Requests == 2 })
	begun := time.Now()
	before, _ := redis.scripts()
	time.Sleep(1500 * time.Millisecond)
	calls, _ := redis.scripts()
	calls -= before
	if most := int(4*time.Since(begun).Seconds()) + 1; calls > most || calls == 0 {
		t.Errorf("%d calls in %s, want %d at most", calls, time.Since(begun), most)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit %d: %s", code, &p.err)
	}
}
