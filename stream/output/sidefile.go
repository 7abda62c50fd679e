package output

import (
	"encoding/json"
	"fmt"
	"os"

	"llmpipe/stream/ui"
)

// Create makes the file that a flag names, empty; nil where it names none. It is called before
// anything is asked: what is wrong with the name is found before anything is paid for, and a run
// that dies leaves nothing of the run before.
func Create(flag, name string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, ui.WithHint("name a file that can be written, in a directory that is there", fmt.Errorf("%s: %w", flag, err))
	}
	return file, nil
}

// WriteSummary writes s to the file of --summary, as one line of JSON, and closes it.
func WriteSummary(file *os.File, s ui.Summary) error {
	line, err := json.Marshal(s)
	if err == nil {
		_, err = file.Write(append(line, '\n'))
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("--summary: %w", err)
	}
	return nil
}
