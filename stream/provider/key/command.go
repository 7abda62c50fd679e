package key

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// longestRun is how long a command may take to print a key.
const longestRun = 30 * time.Second

// mostPrinted bounds how much of a command's output is kept from each stream, in bytes. The largest
// tokens are a few kilobytes long.
const mostPrinted = 64 << 10

// run runs a command and returns the key that it prints. No error shows what the command printed on
// stdout. An error quotes the last line of stderr, unless that line holds what was printed on
// stdout.
func run(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, longestRun)
	defer cancel()
	var out, said bounded
	cmd := shell(ctx, command)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second // for processes that it has left running with its streams open
	err := cmd.Run()
	printed := strings.TrimSpace(out.buf.String())
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("the --key-cmd command has not printed a key within %s", longestRun)
	case err != nil:
		return "", fmt.Errorf("the --key-cmd command fails: %w%s", err, lastLine(said.buf.String(), printed))
	case printed == "":
		return "", fmt.Errorf("the --key-cmd command prints nothing%s", lastLine(said.buf.String(), printed))
	case strings.ContainsAny(printed, "\r\n"):
		return "", fmt.Errorf("the --key-cmd command prints %d lines, but a key is one line", strings.Count(printed, "\n")+1)
	case out.cut:
		return "", fmt.Errorf("the --key-cmd command prints more than %d bytes", mostPrinted)
	}
	text, err := Clean(printed)
	if err != nil {
		return "", fmt.Errorf("what the --key-cmd command prints %w", err)
	}
	return text, nil
}

// lastLine returns the last line that is not blank of what a command says, led by a colon. It is
// empty if the command says nothing, or if the line holds a word of secret.
func lastLine(said, secret string) string {
	lines := strings.FieldsFunc(said, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line == "" {
			continue
		}
		for word := range strings.FieldsSeq(secret) {
			if strings.Contains(line, word) {
				return ""
			}
		}
		const most = 200
		return ": " + strings.ToValidUTF8(line[:min(len(line), most)], "")
	}
	return ""
}

// bounded keeps the first mostPrinted bytes that are written to it, and discards the rest.
type bounded struct {
	buf bytes.Buffer
	cut bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	room := mostPrinted - b.buf.Len()
	b.cut = b.cut || len(p) > room
	b.buf.Write(p[:min(len(p), room)])
	return len(p), nil
}
