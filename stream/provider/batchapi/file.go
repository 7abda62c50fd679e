package batchapi

import "time"

// File is a file that lies at the provider.
type File struct {
	ID   string
	Name string
	// Status is uploaded, then processed, or error; Azure has pending and running between them. A
	// batch may not find a file before it is processed.
	Status string
	// StatusDetails says what is wrong with a file in the state error; else "".
	StatusDetails string
	Bytes         int64
	Created       time.Time
}
