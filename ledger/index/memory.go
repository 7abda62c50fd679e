package index

import (
	"runtime"
	"unsafe"
)

// memory is where an index has its pages. If many are needed at a time, they are not taken from the
// heap, which the collector lets grow to twice what is in use.
//
// The pages live as long as the memory does, and a pointer to one does not keep it alive: the
// holder of such a pointer must hold the index as well.
type memory struct {
	blocks []*block
}

// block is a stretch of memory from the system.
type block struct{ mem []byte }

// ownPages is the smallest number of pages that is worth asking the system for.
const ownPages = 8

// pages appends n pages, all zero.
func (m *memory) pages(dst []*page, n int) []*page {
	if n >= ownPages {
		if mem, ok := systemMemory(n * int(unsafe.Sizeof(page{}))); ok {
			b := &block{mem}
			runtime.AddCleanup(b, freeSystemMemory, mem)
			m.blocks = append(m.blocks, b)
			for i := range n {
				dst = append(dst, (*page)(unsafe.Pointer(&mem[i*int(unsafe.Sizeof(page{}))])))
			}
			return dst
		}
	}
	for range n {
		dst = append(dst, new(page))
	}
	return dst
}
