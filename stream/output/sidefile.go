package output

import (
	"encoding/json"
	"fmt"
	"os"

	"llmpipe/stream/ui"
)

// Create creates or empties the file that a flag names; it returns nil if name is empty. It is
// called before the first request. So a wrong name is found before anything is paid for, and a run
// that dies does not leave the file of an earlier run.
func Create(flag, name string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, ui.WithHint("name a writable file in an existing directory", fmt.Errorf("%s: %w", flag, err))
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
