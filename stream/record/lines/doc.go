// Package lines reads the lines of an input, plain or compressed, up to a maximum length. It holds
// one line at a time, reads no further than it must, and says where a stream breaks.
package lines
