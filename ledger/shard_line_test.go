package ledger

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"llmpipe/ledger/line"
)

func TestAStepThatCannotBeWrittenDownIsRefused(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	mustStep(t, l, intentOf("a", 1, 0, 2))
	before := read(t, path)
	spoiled := func(spoil func(*ShardEntry)) []ShardEntry {
		e := intentOf("b", 1, 0, 2)
		spoil(&e)
		return []ShardEntry{e}
	}
	huge := append(append([]byte{'"'}, bytes.Repeat([]byte("x"), 1<<20)...), '"')
	for name, steps := range map[string][]ShardEntry{
		"no id":                  spoiled(func(e *ShardEntry) { e.Shard = "" }),
		"an id that is a path":   spoiled(func(e *ShardEntry) { e.Shard = "../b" }),
		"a long id":              spoiled(func(e *ShardEntry) { e.Shard = strings.Repeat("b", 65) }),
		"a step that is none":    spoiled(func(e *ShardEntry) { e.Step = 9 }),
		"no records":             spoiled(func(e *ShardEntry) { e.Records = nil }),
		"an id that is no JSON":  spoiled(func(e *ShardEntry) { e.Records[1].ID = []byte("r1") }),
		"a record without id":    spoiled(func(e *ShardEntry) { e.Records[0].ID = nil }),
		"a negative reservation": spoiled(func(e *ShardEntry) { e.ReservedNanos = -1 }),
		"a negative cost":        spoiled(func(e *ShardEntry) { e.CostNanos = -1 }),
		"a time out of range":    spoiled(func(e *ShardEntry) { e.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"a line too long":        spoiled(func(e *ShardEntry) { e.Records = slices.Repeat([]ShardRecord{{ID: huge}}, 256) }),
		"a second intent":        {intentOf("a", 1, 0, 2)},
		"two intents at once":    {intentOf("b", 1, 0, 2), intentOf("b", 2, 0, 2)},
		"no intent":              {uploaded("b")},
		"an intent too late":     {created("b"), intentOf("b", 1, 0, 2)},
	} {
		if err := l.Commit(&Group{Results: []Result{testResult(7)}, Shards: steps}); !errors.Is(err, ErrUnwritable) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Errorf("%s: the file was written to", name)
		}
	}
	mustStep(t, l, uploaded("a"))
	checkShardOf(t, l, 1, "a")
}

func TestAStepThatIsWholeAndMalformedIsDamage(t *testing.T) {
	const (
		key  = `"0123456789abcdef0123456789abcdef"`
		hash = `"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"`
		when = `"time":"2026-03-04T05:06:07.089Z"`
	)
	for _, test := range []struct {
		line  string
		opens bool // and is found out where its records are read
	}{
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key + `],"records":[{"id":1,"r":` + hash + `,"later":{}}],"later":[1]`, true},
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key + `],"records":[{"id":1,"r":"01"}]`, true},
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key + `],"records":[{"r":` + hash + `}]`, true},
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key + `],"records":[1]`, true},
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key + `],"records":{}`, true},
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key + `]`, true},
		{`"step":"intent","shard":"a",` + when, false},
		{`"step":"intent","shard":"a",` + when + `,"keys":{}`, false},
		{`"step":"intent","shard":"a",` + when + `,"keys":[1]`, false},
		{`"step":"intent","shard":"a",` + when + `,"keys":[` + key, false},
		{`"step":"intent","shard":"a",` + when + `,"round":"1","keys":[` + key + `]`, false},
		{`"step":"intent","shard":"a",` + when + `,"reserved_usd":null,"keys":[` + key + `]`, false},
		{`"step":"intent","shard":"a/b",` + when + `,"keys":[` + key + `]`, false},
		{`"step":"intent","shard":"",` + when + `,"keys":[` + key + `]`, false},
		{`"step":"intent",` + when + `,"keys":[` + key + `]`, false},
		{`"step":"uploaded","shard":"a"`, false},
		{`"step":"uploaded","shard":"a","time":"2026-03-04 05:06:07.089Z"`, false},
		{`"step":"uploaded","shard":"a",` + when + `,"keys":[` + key + `]`, false},
		{`"step":"uploaded","shard":"a",` + when + `,"file_id":1`, false},
		{`"step":"collected","shard":"a",` + when + `,"cost_usd":-1`, false},
		{`"step":"collected","shard":"a",` + when + `,"state`, false},
	} {
		path := testPath(t)
		write(t, path, line.Seal([]byte(`{"kind":"batch",`+test.line), 0))
		damage := (*DamageError)(nil)
		l, err := Open(path, Options{})
		_, scanErr := ScanShards(path, nil)
		if !test.opens {
			if !errors.As(err, &damage) || !errors.As(scanErr, &damage) {
				t.Errorf("opening %s: %v, %v", test.line, err, scanErr)
			}
			continue
		}
		if err != nil || scanErr != nil {
			t.Errorf("opening %s: %v, %v", test.line, err, scanErr)
			continue
		}
		whole := strings.Contains(test.line, "later")
		if err := l.ReadShard("a", func(ShardRecord) error { return nil }); errors.As(err, &damage) == whole || whole && err != nil {
			t.Errorf("reading %s: %v", test.line, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
