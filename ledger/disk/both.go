package disk

import "fmt"

// Both is errors.Join on one line: for an error, and what then failed in cleaning up.
func Both(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return fmt.Errorf("%w; %w", first, second)
}
