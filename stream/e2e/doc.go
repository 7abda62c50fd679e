// Package e2e holds the end-to-end tests, and nothing else: they run llmpipe as people do, as a
// process of its own, against the simulated provider or a server of the test.
//
// TestMain builds the command once and puts it first on the PATH, so that exec.Command("llmpipe"),
// a shell of a test and a script in testdata/script all start the same program, with the race
// detector or the coverage counters that the tests themselves have. go test adds nothing up that
// another program counted, but this shows what of the command the tests reach:
//
//	go test -cover ./stream/e2e -args -test.gocoverdir=/tmp/cover
//	go tool covdata percent -i=/tmp/cover
//
// main_test.go has what most tests need: llmpipe prepares a run, startSim starts a simulator. Where
// a test decides what a provider does there are servers in this process: a backend answers each
// request as the test says, a recorder keeps what it is asked, oddBatches is a Batch API with one
// oddity; a gateway and a witness stand before the simulator, and a victim is killed again and
// again. A test stands in the file that is named after what it is about; one that only looks at a
// command line and its output is shorter as a script.
package e2e
