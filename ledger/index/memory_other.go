//go:build !unix

package index

// systemMemory is not available on this platform.
func systemMemory(int) (mem []byte, ok bool) { return nil, false }

func freeSystemMemory([]byte) {}
