package output

import (
	"strings"
	"testing"
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
