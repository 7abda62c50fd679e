package output

import (
	"bytes"
	"cmp"

	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// tellFailure says on stderr why the first record failed; the others say it in the output alone.
// Where the input has another form, a hint says what converts it.
func (c *Output) tellFailure(t *flow.Task) {
	if c.toldFailure || t.Err.Type == record.TypeUpstream { // which the stage before has told
		return
	}
	c.toldFailure = true
	if !c.cfg.Format.IsText() { // where every failure is told
		why := t.Err.Error()
		if t.Err.Type == record.TypeInvalidInput {
			why = t.Err.Message
		}
		c.flow.Voice.Note("%s failed: %s", t, why)
	}
	switch t.Err.Code {
	case "invalid_json", "trailing_data", "not_a_record":
		if t.Seq == 0 {
			c.flow.Voice.Hint("%s", convertHint(t.Err.Code, cmp.Or(t.File, onlyFile(c.cfg.Inputs)), t.Input))
		}
	case "unknown_shape":
		c.flow.Voice.Hint("-p makes a prompt of a record's fields, as in -p 'Sum up: {{.FIELD}}'")
	case "attachment_too_large":
		c.flow.Voice.Hint("make it smaller, or attach an https URL of it, which the provider fetches itself")
	case "attachment_missing":
		c.flow.Voice.Hint("paths begin at the working directory; with --attach-root DIR they begin at DIR")
	}
}

// onlyFile is the name of the one input, empty for stdin.
func onlyFile(files []string) string {
	if len(files) == 1 && files[0] != "-" {
		return files[0]
	}
	return ""
}

// unpacked are what makes text of a file, by how it begins.
var unpacked = map[string]string{
	"BZh": "bzip2 -dc", "\xfd7zXZ": "xz -dc", "PK\x03\x04": "unzip -p",
	"\xff\xfe": "iconv -f UTF-16 -t UTF-8", "\xfe\xff": "iconv -f UTF-16 -t UTF-8",
}

// convertHint says what makes JSON lines of a file that begins with line. code is what is wrong
// with that.
func convertHint(code, file string, line []byte) string {
	from, upTo, converts := file, "", ""
	if file == "" {
		upTo = "… | "
	} else {
		from = " " + file
	}
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
	for start, unpack := range unpacked {
		if bytes.HasPrefix(line, []byte(start)) {
			return upTo + unpack + from + " | llmpipe …"
		}
	}
	switch {
	case len(line) == 0, line[0] == '{' && line[len(line)-1] == '}' && code == "invalid_json":
		return "each line is to be one JSON value"
	case line[0] == '[':
		converts = "it looks like a JSON array: " + upTo + "jq -c '.[]'" + from
	case line[0] == '{' || line[0] == '"' && !bytes.ContainsAny(line, ",;\t"):
		converts = "it looks like JSON over several lines: " + upTo + "jq -c ." + from
	case bytes.ContainsAny(line, ",;\t"):
		if file != "" {
			from = " <" + from
		}
		converts = "it looks like CSV: " + upTo + "python3 -c 'import csv, json, sys; " +
			"[print(json.dumps(r)) for r in csv.DictReader(sys.stdin" + delimiter(line) + ")]'" + from
	default:
		return "if it is plain text, -R takes each line as a prompt"
	}
	return converts + " | llmpipe …"
}

// delimiter is the argument that tells Python's csv of another separator than the comma.
func delimiter(line []byte) string {
	switch {
	case bytes.IndexByte(line, '\t') >= 0:
		return `, delimiter="\t"`
	case bytes.IndexByte(line, ',') < 0:
		return `, delimiter=";"`
	}
	return ""
}
