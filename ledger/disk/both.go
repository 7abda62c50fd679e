package disk

import "fmt"

// Both is errors.Join under a shorter name: for an error, and one from the cleanup after it.
func Both(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return fmt.Errorf("%w; %w", first, second)
}
