//go:build !unix

package index

// systemMemory has none outside of the heap on this platform.
func systemMemory(int) (mem []byte, ok bool) { return nil, false }

func freeSystemMemory([]byte) {}
