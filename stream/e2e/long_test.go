package e2e

import (
	"flag"
	"testing"
)

// long has the tests run that take more than some seconds.
var long = flag.Bool("long", false, "run the long tests too")

// needsLong skips a test that takes so long, unless it is asked for.
func needsLong(t *testing.T, takes string) {
	t.Helper()
	if !*long {
		t.Skipf("it takes %s: -long", takes)
	}
}
