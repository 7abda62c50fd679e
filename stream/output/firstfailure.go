package output

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"
	"unicode/utf8"

	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/record"
)

// tellFailure says on stderr why the first of the failed records failed; for the others only the
// output says it. If the input has another format, a hint says what converts it.
func (c *Output) tellFailure(t *flow.Task) {
	if c.toldFailure || t.Err.Type == record.TypeUpstream { // the previous stage has told it
		return
	}
	c.toldFailure = true
	if !c.cfg.Format.IsText() { // for text, stdout.add tells every failure
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
		c.flow.Voice.Hint("make the prompt from the record's fields with -p, as in -p 'Sum up: {{.FIELD}}'")
	case "attachment_too_large":
		c.flow.Voice.Hint("make it smaller, or attach an https URL of it, which the provider fetches itself")
	case "attachment_missing":
		c.flow.Voice.Hint("write paths from the working directory, or from DIR with --attach-root DIR")
	}
}

// onlyFile returns the name of the only input; "" if that is stdin, or if there are several inputs.
func onlyFile(files []string) string {
	if len(files) == 1 && files[0] != "-" {
		return files[0]
	}
	return ""
}

// unpacked maps the first bytes of a compressed file to the command that unpacks it.
var unpacked = map[string]string{"BZh": "bzip2 -dc", "\xfd7zXZ": "xz -dc", "PK\x03\x04": "unzip -p"}

// convertHint says what makes JSON lines from a file that begins with line. code is that of the
// line's error.
func convertHint(code, file string, line []byte) string {
	from, upTo, converts := "", "", ""
	if file == "" {
		upTo = "… | "
	} else {
		from = " " + naming.Quoted(file)
	}
	line, encoding := textOf(line)
	for start, unpack := range unpacked {
		if bytes.HasPrefix(line, []byte(start)) {
			return upTo + unpack + from + " | llmpipe …"
		}
	}
	if isBinary(line) && encoding != utf16 {
		return "the input is not text; name files in a field to attach them: " +
			`find . -name '*.png' | jq -R '{prompt: "Describe it.", image: .}' | llmpipe --attach image`
	}
	switch separated := bytes.ContainsAny(line, ",;\t") && !isSentence(line); {
	case separated && !bytes.ContainsAny(line[:1], "[{"):
		if file != "" {
			from = " <" + from
		}
		converts = "it looks like CSV: " + upTo + "python3 -c 'import csv, json, sys; sys.stdin.reconfigure(encoding=\"" + encoding + "\"); " +
			"[print(json.dumps(r)) for r in csv.DictReader(sys.stdin" + delimiter(line) + ")]'" + from + " | llmpipe" + templateFor(line)
		return converts
	case encoding == utf16:
		return upTo + "iconv -f UTF-16 -t UTF-8" + from + " | llmpipe …"
	case len(line) == 0, line[0] == '{' && line[len(line)-1] == '}' && code == "invalid_json":
		return "each line must be one JSON value"
	case line[0] == '[':
		converts = "it looks like a JSON array: " + upTo + "jq -c '.[]'" + from
	case line[0] == '{' || line[0] == '"':
		converts = "it looks like JSON over several lines: " + upTo + "jq -c ." + from
	default:
		return "if it is plain text, add -R, which reads each line as a prompt"
	}
	return converts + " | llmpipe …"
}

// Encodings as Python calls them. The first is UTF-8, with or without the byte order mark that
// Excel begins a file with. The last has a character for nearly every byte.
const (
	utf8WithMark = "utf-8-sig"
	utf16        = "utf-16"
	windows      = "cp1252"
)

// textOf returns a line's text, without byte order mark, NUL bytes of UTF-16 and white space around
// it, and the encoding that its file probably has.
func textOf(line []byte) (text []byte, encoding string) {
	if bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff")) {
		return bytes.TrimSpace(bytes.ReplaceAll(line[2:], []byte{0}, nil)), utf16
	}
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
	if !utf8.Valid(line) {
		return line, windows
	}
	return line, utf8WithMark
}

// isBinary reports whether a line holds control characters that no text has, or begins a PDF or a
// PNG.
func isBinary(line []byte) bool {
	odd := func(c rune) bool { return c < ' ' && !strings.ContainsRune("\t\r\n\f\x1b", c) }
	return bytes.ContainsFunc(line, odd) || bytes.HasPrefix(line, []byte("%PDF-")) || bytes.HasPrefix(line, []byte("\x89PNG"))
}

// isSentence reports whether a line is prose, which may have commas too.
func isSentence(line []byte) bool {
	return len(line) > 0 && bytes.ContainsAny(line[len(line)-1:], ".?!:") && bytes.Contains(line, []byte(" "))
}

// delimiter returns the argument that tells Python's csv about a separator other than the comma; ""
// for the comma.
func delimiter(line []byte) string {
	switch {
	case bytes.IndexByte(line, '\t') >= 0:
		return `, delimiter="\t"`
	case bytes.IndexByte(line, ',') < 0:
		return `, delimiter=";"`
	}
	return ""
}

// plainName matches the name of a column that a template can write after a dot.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// templateFor returns the arguments that make prompts from the records of a CSV file. header is the
// file's first line, which names the columns; the last column is the example. If a column is called
// prompt, no template is needed.
func templateFor(header []byte) string {
	name := ""
	for column := range bytes.FieldsFuncSeq(header, func(c rune) bool { return c == ',' || c == ';' || c == '\t' }) {
		if name = strings.Trim(string(column), `" `); name == "prompt" {
			return " …"
		}
	}
	switch {
	case plainName.MatchString(name):
		return " -p '… {{." + name + "}}'"
	case name == "" || !utf8.ValidString(name) || strings.ContainsAny(name, `'"\`):
		return " -p '… {{.COLUMN}}'"
	}
	return ` -p '… {{index . "` + naming.Short(name) + `"}}'`
}
