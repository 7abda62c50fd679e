// Package folder is the directory that files are attached from: it looks at a record's files before
// the record is asked about, and reads them when its request goes.
//
// Nothing outside the directory is opened, whatever the links in it say ([os.Root]), and nothing
// but regular files: what a name stands for is asked before it is opened, and again of what was
// opened, which waits for nobody in between (O_NONBLOCK). A file is held against what it was when
// it was looked at, so that what was reckoned for it is what goes.
//
// What is wrong with a file is its record's error.
package folder
