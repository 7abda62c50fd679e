package line

import (
	"fmt"
	"testing"
)

// What the fields of a line are is found whatever stands in the values, and a line that makes no
// sense is malformed, not a reason to panic.
func TestFields(t *testing.T) {
	for line, want := range map[string]string{
		`{"a":1,"b":"x\"y,}","c":[1,{"d":"]}"}],"e":{},"f":null}`: `a=1 b="x\"y,}" c=[1,{"d":"]}"}] e={} f=null `,
		`{"a":"\\","b":-0.5}`: `a="\\" b=-0.5 `,
		`{"a":"","b":[]}`:     `a="" b=[] `,
		`{"a":1`:              `malformed`,
		`{"a":"x`:             `malformed`,
		`{"a":"x\"}`:          `malformed`,
		`{"a"}`:               `malformed`,
		`{"a":}`:              `malformed`,
		`{"a":1,}`:            `a=1 malformed`,
		`{"a`:                 `malformed`,
		`{`:                   `malformed`,
		``:                    `malformed`,
		`{"a":[}`:             `malformed`,
	} {
		var f fields
		f.start([]byte(line))
		got := ""
		for {
			more, err := f.next()
			if err != nil {
				got += "malformed"
			}
			if !more {
				break
			}
			got += fmt.Sprintf("%s=%s ", f.name, f.value)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
