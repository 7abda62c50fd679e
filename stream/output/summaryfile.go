package output

import (
	"encoding/json"
	"fmt"
	"os"

	"llmpipe/stream/ui"
)

// SummaryFile is the file of --summary. It is opened, and cut, before anything is asked: what is
// wrong with its name is found before anything is paid for, and a run that dies leaves no summary
// of the run before.
type SummaryFile struct{ file *os.File }

// CreateSummary makes the file, empty; nil where it has no name.
func CreateSummary(name string) (*SummaryFile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--summary: %w", err)
	}
	return &SummaryFile{file}, nil
}

// Write writes s as one line of JSON and closes the file.
func (f *SummaryFile) Write(s ui.Summary) error {
	line, err := json.Marshal(s)
	if err == nil {
		_, err = f.file.Write(append(line, '\n'))
	}
	if closeErr := f.file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("--summary: %w", err)
	}
	return nil
}
