package provider

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Serve serves the simulator on l until ctx ends, and closes it then. Requests under way are cut off.
func (s *Sim) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		s.Close()
		_ = server.Close() // closes l; Serve says how it went
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
