package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"llmpipe/ledger"
)

// A run asks only what is not recorded, and records an answer before it shows it.
func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	id, request := []byte(`"r1"`), sha256.Sum256([]byte(`{"messages":[]}`))

	for run := range 2 {
		l, err := ledger.Open(filepath.Join(dir, "llmpipe.ledger.jsonl"), ledger.Options{})
		if err != nil {
			panic(err)
		}
		var answer ledger.Result
		if found := l.Admit(ledger.KeyOf(id, &request)); found.Result != 0 {
			err = l.ReadMatch(found.Result, id, &request, &answer)
			fmt.Printf("run %d: recorded: %s\n", run, answer.Response)
		} else {
			answer = ledger.Result{
				Record:   ledger.Record{ID: id, Request: request, Time: time.Now()},
				Response: []byte(`{"content":"yes"}`),
			}
			err = l.Commit(&ledger.Group{Results: []ledger.Result{answer}})
			fmt.Printf("run %d: asked: %s\n", run, answer.Response)
		}
		if err != nil {
			panic(err)
		}
		if err := l.Close(); err != nil {
			panic(err)
		}
	}
	// Output:
	// run 0: asked: {"content":"yes"}
	// run 1: recorded: {"content":"yes"}
}
