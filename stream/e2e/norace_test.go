//go:build !race

package e2e

// race tells whether the race detector watches the tests.
const race = false
