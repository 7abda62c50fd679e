package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A server that closes each connection after its answer, without a word, costs no attempt and no
// retry: whoever has sent a request by then sends it again.
func TestServerClosesAfterEachAnswer(t *testing.T) {
	t.Parallel()
	const records = 2000
	const answer = `{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}`
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			}()
		}
	}()
	dir, url := t.TempDir(), fmt.Sprintf("http://%s/v1", l.Addr())
	p := llmpipe(t, dir, "--base-url", url, "-m", "m", "--no-ledger", "-c", "20", writePrompts(t, dir, records))
	if code := p.exit(t); code != 0 || strings.Count(p.out.String(), `"attempts":1,`) != records {
		t.Errorf("exit %d, %s", code, &p.err)
	}
	if strings.Contains(p.err.String(), "retr") {
		t.Errorf("said %s", &p.err)
	}
}
