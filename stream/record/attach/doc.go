// Package attach makes the parts of a request for the files and URLs that a record attaches to its
// prompt. It opens nothing.
//
// A URL is sent as it is: [Links.Append] makes its part at once. For a [File], [AppendMark] puts a
// mark with its path into the body, and the fingerprint covers that mark. When the request is sent,
// the file's data replaces the mark; [File.Frame] returns the JSON before and after the data.
package attach
