package flags

import (
	"fmt"
	"os"

	"llmpipe/stream"
	"llmpipe/stream/naming"
	"llmpipe/stream/record"
	"llmpipe/stream/record/schema"
	"llmpipe/stream/ui"
)

// schema reads the schema that answers must fit, and refuses flags that contradict it.
func (f *Flags) schema(cfg *stream.Config) error {
	name, flag := f.Schema, "--schema"
	if name == "" {
		name, flag = f.SchemaCheck, "--schema-check"
	}
	switch {
	case f.Schema != "" && f.SchemaCheck != "":
		return usage("leave --schema-check out", "--schema checks answers too; --schema-check is for servers that do not support schemas")
	case name == "" && f.Reask != 1:
		return usage("add --schema FILE", "--reask needs --schema or --schema-check")
	case name == "":
		return nil
	case f.Pack > 1:
		return usage("leave --pack out", "%s needs one answer per request, and --pack makes several", flag)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return usage(fileHint(name), "%s: %w", flag, err)
	}
	s, err := schema.New(name, text)
	if err != nil {
		return usage("write a JSON Schema, draft 4 to 2020-12: "+`{"type":"object","properties":{…}}`,
			"%s %s: %w", flag, naming.Short(name), err)
	}
	cfg.Decode.Schema, cfg.Decode.OnlyCheck, cfg.Reask = s, f.SchemaCheck != "", f.Reask
	if _, err := record.NewDecoder(cfg.Decode); err != nil {
		return ui.Usage(fmt.Errorf("%s: %w", flag, err))
	}
	return nil
}
