// Package attach makes the parts of a request that stand for what a record names beside its prompt:
// files, and addresses of them. It opens nothing.
//
// An address goes out as it is, and a part is made of it at once ([Link]). For a [File] the body
// gets a mark with its path ([AppendMark]), which is what the fingerprint holds. When the file has
// been looked at, and the request goes, [File.Frame] says what stands before its data and behind it
// in place of the mark.
package attach
