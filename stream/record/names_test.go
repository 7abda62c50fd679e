package record

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, e := range []Endpoint{Chat, Embeddings, Responses, Completions} {
		if got, err := ParseEndpoint(e.String()); err != nil || got != e {
			t.Errorf("%s: %v, %v", e, got, err)
		}
		for _, url := range []string{e.Path(), strings.TrimPrefix(e.Path(), "/v1")} {
			if got, ok := EndpointOf(url); !ok || got != e {
				t.Errorf("%s: %v, %v", url, got, ok)
			}
		}
	}
	if _, err := ParseEndpoint("images"); err == nil {
		t.Error("images are an endpoint")
	}
	if _, ok := EndpointOf("/v1/images"); ok {
		t.Error("/v1/images is an endpoint's url")
	}
	for _, f := range []Format{FormatResult, FormatBatch, FormatRaw, FormatText} {
		if got, err := ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("csv"); err == nil {
		t.Error("csv is a format")
	}
	if Endpoint(9).String() != "Endpoint(9)" || Endpoint(9).Path() != "" || Format(9).String() != "Format(9)" {
		t.Error("what is none has a name")
	}
}

func TestUnmarshalText(t *testing.T) {
	var e Endpoint
	if err := e.UnmarshalText([]byte("responses")); err != nil || e != Responses {
		t.Errorf("endpoint %s, %v", e, err)
	}
	var f Format
	if err := f.UnmarshalText([]byte("raw")); err != nil || f != FormatRaw {
		t.Errorf("format %s, %v", f, err)
	}
	if e.UnmarshalText([]byte("x")) == nil || f.UnmarshalText([]byte("x")) == nil {
		t.Error("x is taken")
	}
}
