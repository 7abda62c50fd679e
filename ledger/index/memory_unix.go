//go:build unix

package index

import "golang.org/x/sys/unix"

// systemMemory maps size bytes. It is false if the system cannot provide them.
func systemMemory(size int) (mem []byte, ok bool) {
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	return mem, err == nil
}

func freeSystemMemory(mem []byte) { _ = unix.Munmap(mem) }
