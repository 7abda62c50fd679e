package sim

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Mark is the header, in canonical form, of all that a simulator answers over the network. Its
// value is Options.Dialect, or Plain if that is "".
const (
	Mark  = "Llmpipe-Simulated"
	Plain = "true"
)

// Dialect returns the provider whose dialect of the Batch API is spoken; "" or "openai" means
// OpenAI.
func (s *Server) Dialect() string { return s.options.Dialect }

// Serve serves the simulator on l until ctx ends, and then closes the simulator. Requests under way
// are cut off. Its answers carry Mark, so that our clients recognize a simulator.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mark := []string{cmp.Or(s.options.Dialect, Plain)}
	marked := func(w http.ResponseWriter, r *http.Request) {
		w.Header()[Mark] = mark
		if r.Method != http.MethodHead { // a HEAD only asks who is there
			s.ServeHTTP(w, r)
		}
	}
	server := &http.Server{Handler: http.HandlerFunc(marked), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		s.Close()
		_ = server.Close() // closes l; Serve says how it went
	})
	defer stop()
	if err := server.Serve(s.bind(l, server)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
