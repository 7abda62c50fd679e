package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"llmpipe/stream/ui"
)

// seen are the names of the ledgers that --seen means: those that match its patterns, but for the
// run's own. That a pattern matches nothing is no error, as the first of many runs finds nothing
// yet; a plain name must be there.
func (c *Config) seen() (paths []string, err error) {
	own, _ := os.Stat(c.Path) // nil before there is one
	var met []os.FileInfo
	for _, pattern := range c.Seen {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return nil, ui.Usage(fmt.Errorf("--seen %q is not a valid pattern: %w", pattern, err))
		}
		if matches == nil && !strings.ContainsAny(pattern, `*?[`) {
			return nil, ui.WithHint("a pattern, in quotes, may match nothing: --seen 'job-*.jsonl'",
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
