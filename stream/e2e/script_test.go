package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command lines of testdata/script. Beyond testscript's own commands there is
//
//	simulate [OPTIONS]    start a simulated provider as a process; its address is in $SIM, and in
//	                      $REAL that of one which passes for real
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(root, "testdata", "script"),
		Setup: func(env *testscript.Env) error {
			lookAtSources()
			env.Vars = append(env.Vars, endAtOnce)
			env.Values[testingKey{}] = env.T()
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"simulate": func(ts *testscript.TestScript, neg bool, args []string) {
				t, ok := ts.Value(testingKey{}).(testing.TB)
				if !ok {
					ts.Fatalf("no testing.TB to end the simulator with")
				}
				sim := startSim(t, strings.Join(args, "&"))
				ts.Setenv("SIM", sim.URL)
				ts.Setenv("REAL", inEarnest(t, sim))
			},
		},
	})
}

type testingKey struct{}
