package stream

import (
	"strings"
	"testing"

	"llmpipe/stream/record"
)

func TestConvertHint(t *testing.T) {
	const csv = "it looks like CSV: python3 -c 'import csv, json, sys; [print(json.dumps(r)) for r in csv.DictReader(sys.stdin"
	for _, test := range []struct{ file, line, want string }{
		{"a.json", `[{"prompt":"a"},{"prompt":"b"}]`, "it looks like a JSON array: jq -c '.[]' a.json | llmpipe …"},
		{"", "\xef\xbb\xbf[", "it looks like a JSON array: … | jq -c '.[]' | llmpipe …"},
		{"c.json", "{", "it looks like JSON over several lines: jq -c . c.json | llmpipe …"},
		{"c.json", `"id": "1"`, "it looks like JSON over several lines: jq -c . c.json | llmpipe …"},
		{"p.csv", "id,prompt", csv + ")]' < p.csv | llmpipe …"},
		{"p.csv", `"id","prompt"`, csv + ")]' < p.csv | llmpipe …"},
		{"p.tsv", "id\tprompt", csv + `, delimiter="\t")]' < p.tsv | llmpipe …`},
		{"p.csv", "id;prompt", csv + `, delimiter=";")]' < p.csv | llmpipe …`},
		{"d.json", strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001), "each line is to be one JSON value"},
		{"p.xz", "\xfd7zXZ\x00\x00,", "xz -dc p.xz | llmpipe …"},
		{"", "BZh91AY&SY,", "… | bzip2 -dc | llmpipe …"},
		{"p.txt", "\xff\xfe{\x00", "iconv -f UTF-16 -t UTF-8 p.txt | llmpipe …"},
		{"t.txt", "hello", "if it is plain text, -R takes each line as a prompt"},
	} {
		if got := convertHint("invalid_json", test.file, []byte(test.line)); got != test.want {
			t.Errorf("%s, %q:\n%q, want\n%q", test.file, test.line, got, test.want)
		}
	}
}

// The first failure is told; the others are in the output alone.
func TestFirstFailureIsTold(t *testing.T) {
	const lines = "{\"id\":1,\"prompt\":\"a\"}\n{\"id\":2,\"prompt\":\n[3]\n[4]\n"
	for name, test := range map[string]struct {
		adapt func(*Config)
		want  []string
	}{
		"result": {func(*Config) {}, []string{"llmpipe: line 2 failed: not JSON at byte 18: the line ends inside a value\n"}},
		"text": {func(c *Config) { c.Format = record.FormatText }, []string{
			"llmpipe: error: line 2: invalid_input invalid_json", "llmpipe: error: line 3: invalid_input not_a_record",
			"llmpipe: error: line 4: invalid_input not_a_record",
		}},
		"quiet":            {func(c *Config) { c.Quiet = true }, nil},
		"the stage before": {func(c *Config) { c.Stdin = strings.NewReader(`{"id":1,"error":{"message":"no"}}`) }, nil},
	} {
		r := try(t, "sim:?latency=1ms", strings.NewReader(lines), func(c *Config) {
			c.Ordered = true
			test.adapt(c)
		})
		said, told := r.said.String(), strings.Count(r.said.String(), ": line ")
		for _, want := range test.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said, but\n%s", name, want, said)
			}
		}
		if told != len(test.want) || strings.Contains(said, "hint") {
			t.Errorf("%s: %d failures are told, want %d:\n%s", name, told, len(test.want), said)
		}
	}
}
