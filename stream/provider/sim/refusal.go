package sim

import (
	"cmp"
	"net/http"
	"time"
)

// overloaded is Anthropic's status for an API that is overloaded
// (docs.anthropic.com/en/api/errors).
const overloaded = 529

// Statuses are those that a refusal may have.
var Statuses = []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable, overloaded}

// LostStatuses are those that a gateway answers with when the model's own answer did not reach it.
var LostStatuses = []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout}

// errLost is what comes in the place of an answer that is lost.
func errLost(status int) *apiError {
	if status == 0 {
		status = http.StatusGatewayTimeout
	}
	return &apiError{status: status, kind: "server_error", message: "The answer did not arrive: " + http.StatusText(status) + "."}
}

// errRefusal turns a request away with one of Statuses, for want of something: what is refused is
// not the request's fault. A 500 never says how long to wait.
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

// pressure is a refusal by chance.
func (s *Server) pressure(model string) *apiError {
	return errRefusal(cmp.Or(s.options.PressureStatus, http.StatusTooManyRequests), model, cmp.Or(s.options.RetryAfter, time.Second))
}

// oddLimit is what an odd answer says that a minute's limit is.
const oddLimit = "60"

// oddity is pressure, with a header that it puts into h.
func (s *Server) oddity(h http.Header, model string) *apiError {
	h["X-Ratelimit-Limit-Requests"] = []string{oddLimit}
	return s.pressure(model)
}

// crowded is a refusal for want of a place.
func (s *Server) crowded() *apiError {
	return errRefusal(cmp.Or(s.options.InFlightStatus, http.StatusServiceUnavailable), "concurrent requests", s.options.RetryAfter)
}

// outage is what all requests meet in an outage.
func (s *Server) outage() *apiError {
	if s.options.OutageStatus == 0 {
		return errOutage(s.options.RetryAfter)
	}
	return errRefusal(s.options.OutageStatus, "all models", s.options.RetryAfter)
}
