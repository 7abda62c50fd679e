// Package folder is the directory that files are attached from. It inspects a record's files before
// the record is asked, and reads them when the request is sent.
//
// Nothing outside the directory is opened, wherever its links point ([os.Root]), and only regular
// files are: a name is checked before it is opened, and the open file is checked again. The open
// never blocks (O_NONBLOCK). When a file is read, it must still be the file that was inspected, so
// that the cost was estimated for the data that is sent.
//
// An error in a file is the error of its record.
package folder
