package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// readmeBlock is a fenced block of README.
type readmeBlock struct {
	kind string // what stands behind its fence
	line int    // of its fence, from 1
	text string
}

// fence matches a fenced block: what stands behind its fence, and its text.
var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// readmeBlocks returns README's fenced blocks in their order.
func readmeBlocks(t *testing.T) []readmeBlock {
	t.Helper()
	readme := readFile(t, root, "README.md")
	var blocks []readmeBlock
	for _, at := range fence.FindAllStringSubmatchIndex(readme, -1) {
		blocks = append(blocks, readmeBlock{
			kind: readme[at[2]:at[3]],
			line: 1 + strings.Count(readme[:at[0]], "\n"),
			text: readme[at[4]:at[5]],
		})
	}
	return blocks
}

// sessionStart is what the shell has that a reader's does not: the program that is tested stands in
// for the one that go would build or install, and a command that fails is written down, wherever it
// is in a pipe. There one has not failed that could not write since nobody read on (141), nor one
// whose failed records (3) are for the next.
const sessionStart = `
go() { case "$1 $2" in "install .") ;; "run .") shift 2; llmpipe "$@" ;; *) command go "$@" ;; esac; }
trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
failing() { case $1 in "3 "*" 0"|141*) ;; *) echo "block of line $block: exit code $1: $2" >> "$failed" ;; esac; }
trap 'failing "$? ${PIPESTATUS[*]}" "$BASH_COMMAND"' ERR
set -o pipefail
`

// realStart is what stands before a block that needs more than a clone: an llmpipe that asks nobody
// and writes its requests, and no other program but those with which data is made and read.
const realStart = `
cp -r . "$scratch" && cd "$scratch"
llmpipe() {
	case $1 in
	completion) command llmpipe "$@" ;;
	report|sim) ;;
	*) command llmpipe "$@" --dry-run ;;
	esac
	code=$?
	[ $code = 0 ] || [ $code = 141 ] || echo "block of line $block: exit code $code: llmpipe $*" >> "$failed"
}
source() { :; }
go() { :; }
kill() { :; }
sleep() { :; }
command_not_found_handle() { :; }
export SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_JOB_ID=7 SLURM_JOB_ID=7 VERTEX_URL=https://vertex.example/v1
PATH=$tools
`

// TestReadme runs README's blocks as they are pasted, in their order, in one shell, in a directory
// that has what a clone has. By what stands behind a block's fence:
//
//   - sh: no command in it fails.
//   - console: of each line after a $ the output is what stands below it, but for how long it took.
//   - sh real: it needs a key, a cluster, or more time. Its llmpipe writes the requests and asks
//     nobody, and has to take the flags; what else it calls is not run.
//
// Others are no commands. One thing is changed: the port that README names is one that is free.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "jq", "make", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("README's commands need %s", program)
		}
	}
	dir := t.TempDir()
	clone, out := filepath.Join(dir, "clone"), filepath.Join(dir, "out")
	tools, scratch := filepath.Join(dir, "tools"), filepath.Join(dir, "scratch")
	for _, d := range []string{clone, out, tools, scratch} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(clone, "testdata"), os.DirFS(filepath.Join(root, "testdata"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"llmpipe", "jq", "seq", "cat", "grep"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("README's commands need %s", name)
		}
		if err := os.Symlink(file, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}

	session := new(strings.Builder)
	fmt.Fprintf(session, "failed='%s/failed' tools='%s' scratch='%s'\n%s", out, tools, scratch, sessionStart)
	port := freePort(t)
	type command struct {
		block      readmeBlock
		line, want string
		out        string // the file with what it says
	}
	var commands []command
	for i, b := range readmeBlocks(t) {
		script := filepath.Join(out, fmt.Sprintf("block-%d", i))
		switch b.kind {
		case "sh", "sh real":
			text := strings.ReplaceAll(b.text, "8089", port)
			writeFile(t, out, filepath.Base(script), text)
			before, after := "", ""
			if b.kind == "sh real" {
				before, after = "("+realStart, ")"
			}
			fmt.Fprintf(session, "block=%d\n%s. '%s' > '%s.out' 2>&1 < /dev/null%s\n", b.line, before, script, script, after)
			commands = append(commands, command{block: b, out: script + ".out"})
		case "console":
			for j, part := range strings.Split("\n"+b.text, "\n$ ")[1:] {
				line, want, _ := strings.Cut(part, "\n")
				name := fmt.Sprintf("%s-%d", script, j)
				writeFile(t, out, filepath.Base(name), line)
				fmt.Fprintf(session, "block=%d\n. '%s' > '%s.out' 2>&1 < /dev/null\n", b.line, name, name)
				commands = append(commands, command{block: b, line: line, want: want, out: name + ".out"})
			}
		case "json", "text", "yaml", "python":
		default:
			t.Errorf("line %d: README has no rule for blocks of %q", b.line, b.kind)
		}
	}
	if len(commands) < 40 {
		t.Errorf("only %d commands and blocks were found", len(commands))
	}
	fmt.Fprintf(session, "block=end; : > '%s/ended'\n", out)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", session.String())
	shell.Dir, shell.Env, shell.WaitDelay = clone, cleanEnv(), time.Second
	if said, err := shell.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("the session ended with %v, and said\n%s", err, said)
	}
	if _, err := os.Stat(filepath.Join(out, "ended")); err != nil {
		t.Error("a block ended the session")
	}
	if failed, err := os.ReadFile(filepath.Join(out, "failed")); err == nil {
		t.Errorf("README's commands fail:\n%s", failed)
	}
	for _, c := range commands {
		said, err := os.ReadFile(c.out)
		if err != nil {
			t.Errorf("the block of line %d did not run", c.block.line)
			continue
		}
		if c.line != "" && timeless(string(said)) != timeless(strings.TrimSuffix(c.want, "\n")+"\n") {
			t.Errorf("line %d: %s\nsays\n%s\nand not\n%s", c.block.line, c.line, said, c.want)
		}
	}
	for name, lines := range map[string]int{
		"out.jsonl": 6, "answers.jsonl": 6, "spam.jsonl": 24, "lines.jsonl": 12, "gpt-4o.jsonl": 4, "night.jsonl": 24, "cron.jsonl": 24,
		"hybrid.jsonl": 24, "captions.jsonl": 3, "rows.csv": 25, "vectors.tsv": 24, "training.jsonl": 24, "spread.jsonl": 6, "job.jsonl": 6,
	} {
		if n := len(splitLines(readFile(t, filepath.Join(clone, "try"), name))); n != lines {
			t.Errorf("%s has %d lines, want %d", name, n, lines)
		}
	}
}

// TestReadmePastes holds that a block can be pasted into a terminal: the shell completes names at a
// tab, ends at exit, and where it is zsh it takes a comment for a command, and writes to a file and
// a pipe at once. And that what is rehearsed is not left in the environment, where it would pass
// for the provider.
func TestReadmePastes(t *testing.T) {
	for _, b := range readmeBlocks(t) {
		for what, wrong := range map[string]string{
			"has a tab": `\t`, "ends the shell": `(?m)(^|[;&|] *)exit\b`, "has a comment": `(?m)^\s*#`,
			"sets the provider for all":   `OPENAI_BASE_URL=sim`,
			"writes to a file and a pipe": `[^2]> [\w$]+\.\w+[^|;\n]*\|[^|]`,
		} {
			if b.kind == "sh" && regexp.MustCompile(wrong).MatchString(b.text) {
				t.Errorf("the block of line %d %s:\n%s", b.line, what, b.text)
			}
		}
	}
	prose := fence.ReplaceAllString(readFile(t, root, "README.md"), "")
	if block := regexp.MustCompile(`(?m)^(    |\t).*`).FindString(prose); block != "" {
		t.Errorf("a block without a fence, which nothing runs: %s", block)
	}
}

// freePort returns the number of a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// timeless is what a command says without how long it took.
func timeless(said string) string {
	return regexp.MustCompile(` in \d+\.\d s(, [\d.]+/s)?`).ReplaceAllString(said, "")
}
