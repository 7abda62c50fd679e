package sim

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Mark is the header of what a simulator answers that is served over the network, in canonical
// form. Its value is Options.Dialect, or Plain where there is none.
const (
	Mark  = "Llmpipe-Simulated"
	Plain = "true"
)

// Dialect is the provider whose dialect of the Batch API is spoken, "" for OpenAI's.
func (s *Server) Dialect() string { return s.options.Dialect }

// Serve serves the simulator on l until ctx ends, and closes it then. Requests under way are cut
// off. What it answers is marked, so that a client of ours knows it for what it is.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mark := []string{cmp.Or(s.options.Dialect, Plain)}
	marked := func(w http.ResponseWriter, r *http.Request) {
		w.Header()[Mark] = mark
		if r.Method != http.MethodHead { // which asks who is there
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
