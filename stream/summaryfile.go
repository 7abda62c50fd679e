package stream

import (
	"encoding/json"
	"fmt"
	"os"

	"llmpipe/stream/ui"
)

// summaryFile is the file of --summary. It is opened, and cut, before anything is asked: what is wrong with its name is found before
// anything is paid for, and a run that dies leaves no summary of the run before.
type summaryFile struct{ file *os.File }

// createSummary makes the file, empty; nil where it has no name.
func createSummary(name string) (*summaryFile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("--summary: %w", err)
	}
	return &summaryFile{file}, nil
}

// write writes s as one line of JSON and closes the file.
func (f *summaryFile) write(s ui.Summary) error {
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
