//go:build !unix

package folder

// nonblock is 0 on systems where opening a file never blocks.
const nonblock = 0
