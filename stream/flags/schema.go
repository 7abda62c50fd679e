package flags

import (
	"errors"
	"fmt"
	"os"

	"llmpipe/stream"
	"llmpipe/stream/record"
	"llmpipe/stream/record/schema"
	"llmpipe/stream/ui"
)

// schema reads the schema that answers are to fit, and refuses what cannot be meant together with
// it.
func (f *Flags) schema(cfg *stream.Config) error {
	name, flag := f.Schema, "--schema"
	if name == "" {
		name, flag = f.SchemaCheck, "--schema-check"
	}
	switch {
	case f.Schema != "" && f.SchemaCheck != "":
		return ui.Usage(errors.New("--schema checks too: --schema-check is for servers that know no schemas"))
	case name == "" && f.Reask != 1:
		return ui.Usage(errors.New("--reask needs --schema or --schema-check"))
	case name == "":
		return nil
	case f.Pack > 1:
		return ui.Usage(fmt.Errorf("%s is for one answer a request: --pack has several", flag))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return ui.Usage(fmt.Errorf("%s: %w", flag, err))
	}
	s, err := schema.New(name, text)
	if err != nil {
		return ui.Usage(fmt.Errorf("%s %s: %w", flag, name, err))
	}
	cfg.Decode.Schema, cfg.Decode.OnlyCheck, cfg.Reask = s, f.SchemaCheck != "", f.Reask
	if _, err := record.NewDecoder(cfg.Decode); err != nil {
		return ui.Usage(fmt.Errorf("%s: %w", flag, err))
	}
	return nil
}
