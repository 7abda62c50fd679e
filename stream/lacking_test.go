package stream

import (
	"context"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// While the machine lacks what a connection needs, records wait: they lose no attempt, and nothing
// is said of the provider.
func TestRecordsWaitForConnections(t *testing.T) {
	const records, lacking = 200, 3 * time.Minute
	for name, why := range map[string]error{
		"descriptors":                os.NewSyscallError("socket", syscall.EMFILE),
		"descriptors of the machine": os.NewSyscallError("socket", syscall.ENFILE),
		"ports":                      os.NewSyscallError("connect", syscall.EADDRNOTAVAIL),
		"descriptors for a look-up":  &net.DNSError{Err: "dial udp: socket: " + syscall.EMFILE.Error(), Name: "llm.example"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &poisoner{bad: func(int) bool { return false }}
				start := time.Now()
				var refused atomic.Int64
				r := p.run(t, prompts(records), func(c *Config) {
					dial := c.Provider.Dial
					c.Provider.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
						if time.Since(start) < lacking {
							refused.Add(1)
							return nil, &net.OpError{Op: "dial", Net: network, Err: why}
						}
						return dial(ctx, network, address)
					}
					c.Retries, c.Provider.Connections, c.Pace.Concurrency = 0, 1, 8
				})
				if s := r.Summary; r.ExitCode() != ExitOK || s.OK != records || strings.Count(r.out.String(), `"attempts":1,`) != records {
					t.Errorf("exit %d, %+v: %s", r.ExitCode(), s, &r.said)
				}
				if refused.Load() == 0 || strings.Contains(r.said.String(), "fails every request") {
					t.Errorf("%d connections were refused, and it said %s", refused.Load(), &r.said)
				}
			})
		})
	}
}
