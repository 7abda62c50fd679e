package batchapi

import "time"

// File is a file at the provider.
type File struct {
	ID   string
	Name string
	// Status is uploaded, and then processed or error; Azure has pending and running in between. A
	// batch may not find a file that is not yet processed.
	Status string
	// StatusDetails says what is wrong with a file whose Status is error; else it is "".
	StatusDetails string
	Bytes         int64
	Created       time.Time
}
