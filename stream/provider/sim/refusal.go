package sim

import (
	"cmp"
	"net/http"
	"time"
)

// overloaded is Anthropic's status for an API that is overloaded
// (docs.anthropic.com/en/api/errors).
const overloaded = 529

// Statuses are the statuses that a refusal may have.
var Statuses = []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable, overloaded}

// LostStatuses are the statuses of a gateway's answer when the model's own answer did not reach it.
var LostStatuses = []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout}

// errLost is the answer that comes instead of one that is lost.
func errLost(status int) *apiError {
	if status == 0 {
		status = http.StatusGatewayTimeout
	}
	return &apiError{status: status, kind: "server_error", message: "The answer did not arrive: " + http.StatusText(status) + "."}
}

// errRefusal refuses a request with one of Statuses. want names what is short: the request itself
// is not at fault. A 500 never says how long to wait.
func errRefusal(status int, want string, retryAfter time.Duration) *apiError {
	switch status {
	case http.StatusInternalServerError:
		return errServer
	case http.StatusServiceUnavailable:
		e := *errOverloaded
		e.retryAfter = retryAfter
		return &e
	case overloaded:
		return &apiError{status: overloaded, kind: "overloaded_error", message: "Overloaded", retryAfter: retryAfter}
	}
	return errPressure(want, retryAfter)
}

// pressure returns a refusal by chance.
func (s *Server) pressure(model string) *apiError {
	return errRefusal(cmp.Or(s.options.PressureStatus, http.StatusTooManyRequests), model, cmp.Or(s.options.RetryAfter, time.Second))
}

// oddLimit is the limit per minute that an odd answer names.
const oddLimit = "60"

// oddity returns a refusal like pressure's, and writes a header that names oddLimit to h.
func (s *Server) oddity(h http.Header, model string) *apiError {
	h["X-Ratelimit-Limit-Requests"] = []string{oddLimit}
	return s.pressure(model)
}

// crowded returns the refusal of a request that found no place.
func (s *Server) crowded() *apiError {
	return errRefusal(cmp.Or(s.options.InFlightStatus, http.StatusServiceUnavailable), "concurrent requests", s.options.RetryAfter)
}

// outage returns the refusal of a request in an outage.
func (s *Server) outage() *apiError {
	if s.options.OutageStatus == 0 {
		return errOutage(s.options.RetryAfter)
	}
	return errRefusal(s.options.OutageStatus, "all models", s.options.RetryAfter)
}
