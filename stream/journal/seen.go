package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"llmpipe/stream/ui"
)

// seen returns the names of the ledgers that match the patterns of --seen, except for the run's
// own. A pattern may match nothing, because the first of many runs finds no other ledger yet. A
// plain name must exist.
func (c *Config) seen() (paths []string, err error) {
	own, _ := os.Stat(c.Path) // nil if the ledger does not exist yet
	var met []os.FileInfo
	for _, pattern := range c.Seen {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return nil, ui.Usage(fmt.Errorf("--seen %q is not a valid pattern: %w", pattern, err))
		}
		if matches == nil && !strings.ContainsAny(pattern, `*?[`) {
			return nil, ui.WithHint("check the name; or write a pattern in quotes, which may match nothing: --seen 'job-*.jsonl'",
				fmt.Errorf("--seen: open %s: %w", pattern, os.ErrNotExist))
		}
		for _, path := range matches {
			info, err := os.Stat(path)
			if err != nil {
				return nil, fmt.Errorf("--seen: %w", err)
			}
			same := func(other os.FileInfo) bool { return os.SameFile(info, other) }
			if own != nil && same(own) || slices.ContainsFunc(met, same) {
				continue
			}
			met, paths = append(met, info), append(paths, path)
		}
	}
	return paths, nil
}
