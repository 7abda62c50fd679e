//go:build !linux && !darwin

package flow

// TemporaryFree is how many bytes are free for temporary files, which is not known here.
func TemporaryFree() (bytes int64, known bool) { return 0, false }
