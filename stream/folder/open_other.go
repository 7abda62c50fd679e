//go:build !unix

package folder

// nonblock is nothing where no open of a file waits.
const nonblock = 0
