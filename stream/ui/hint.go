package ui

import "errors"

// Hinted is an error with a hint: what the user can do next.
type Hinted struct {
	Err  error
	Hint string
}

// Error implements error.
func (h *Hinted) Error() string { return h.Err.Error() }

// Unwrap returns the error itself.
func (h *Hinted) Unwrap() error { return h.Err }

// WithHint adds a hint to err: what the user can do next.
func WithHint(hint string, err error) error { return &Hinted{Err: err, Hint: hint} }

// HintOf returns the hint of err or of an error that it wraps, or "" if there is none.
func HintOf(err error) string {
	var h *Hinted
	if errors.As(err, &h) {
		return h.Hint
	}
	return ""
}

// UsageError is an error in the command line.
type UsageError struct{ Err error }

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *UsageError) Unwrap() error { return e.Err }

// Usage makes err an error of the command line.
func Usage(err error) error { return &UsageError{err} }
