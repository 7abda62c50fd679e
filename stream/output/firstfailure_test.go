package output

import (
	"strings"
	"testing"
)

func TestConvertHint(t *testing.T) {
	csvIn := func(encoding, delimiter string) string {
		return `it looks like CSV: python3 -c 'import csv, json, sys; sys.stdin.reconfigure(encoding="` + encoding + `"); ` +
			`[print(json.dumps(r)) for r in csv.DictReader(sys.stdin` + delimiter + `)]'`
	}
	csv := csvIn("utf-8-sig", "")
	const binary = "the input is not text; name files in a field to attach them: " +
		`find . -name '*.png' | jq -R '{prompt: "Describe it.", image: .}' | llmpipe --attach image`
	for _, test := range []struct{ file, line, want string }{
		{"a.json", `[{"prompt":"a"},{"prompt":"b"}]`, "it looks like a JSON array: jq -c '.[]' a.json | llmpipe …"},
		{"", "\xef\xbb\xbf[", "it looks like a JSON array: … | jq -c '.[]' | llmpipe …"},
		{"my c.json", "{", "it looks like JSON over several lines: jq -c . 'my c.json' | llmpipe …"},
		{"c.json", `"id": "1"`, "it looks like JSON over several lines: jq -c . c.json | llmpipe …"},
		{"p.csv", "id,prompt", csv + " < p.csv | llmpipe …"},
		{"my p.csv", `"id","prompt"`, csv + " < 'my p.csv' | llmpipe …"},
		{"p.csv", "\xef\xbb\xbfid,body", csv + " < p.csv | llmpipe -p '… {{.body}}'"},
		{"p.csv", "id,\"Full Name\"\r", csv + ` < p.csv | llmpipe -p '… {{index . "Full Name"}}'`},
		{"p.csv", "id,it's", csv + " < p.csv | llmpipe -p '… {{.COLUMN}}'"},
		{"p.tsv", "id\tprompt", csvIn("utf-8-sig", `, delimiter="\t"`) + " < p.tsv | llmpipe …"},
		{"p.csv", "id;prompt", csvIn("utf-8-sig", `, delimiter=";"`) + " < p.csv | llmpipe …"},
		{"p.csv", "\xff\xfei\x00d\x00;\x00x\x00\r\x00", csvIn("utf-16", `, delimiter=";"`) + " < p.csv | llmpipe -p '… {{.x}}'"},
		{"p.csv", "na\xefve,prompt", csvIn("cp1252", "") + " < p.csv | llmpipe …"},
		{"", "id,prompt", "it looks like CSV: … | " + strings.TrimPrefix(csv, "it looks like CSV: ") + " | llmpipe …"},
		{"d.json", strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001), "each line must be one JSON value"},
		{"p.xz", "\xfd7zXZ\x00\x00,", "xz -dc p.xz | llmpipe …"},
		{"", "BZh91AY&SY,", "… | bzip2 -dc | llmpipe …"},
		{"p.txt", "\xff\xfe{\x00", "iconv -f UTF-16 -t UTF-8 p.txt | llmpipe …"},
		{"a.png", "\x89PNG\r", binary},
		{"a.pdf", "%PDF-1.4", binary},
		{"a.bin", "a,\x00b", binary},
		{"t.txt", "Hello, please translate this.", "if it is plain text, add -R, which reads each line as a prompt"},
		{"t.txt", "hello", "if it is plain text, add -R, which reads each line as a prompt"},
	} {
		if got := convertHint("invalid_json", test.file, []byte(test.line)); got != test.want {
			t.Errorf("%s, %q:\n%q, want\n%q", test.file, test.line, got, test.want)
		}
	}
}
