package flags

import (
	"strings"
	"testing"

	"llmpipe/stream/record"
)

// A key that is set and not used is said, unless another one is; so is a rehearsal that nobody sees
// on the command line.
func TestRemarks(t *testing.T) {
	const key = "OPENAI_API_KEY=sk-one"
	for name, test := range map[string]struct {
		flags ProviderFlags
		env   string
		want  []string
	}{
		"nothing":            {ProviderFlags{BaseURL: "sim:"}, "", nil},
		"a key":              {ProviderFlags{}, key, nil},
		"two keys":           {ProviderFlags{}, key + " ANTHROPIC_API_KEY=sk-two", nil},
		"sim and a key":      {ProviderFlags{BaseURL: "sim:"}, key, []string{"answers are simulated; set but not used: OPENAI_API_KEY"}},
		"sim and two":        {ProviderFlags{BaseURL: "sim:"}, key + " ANTHROPIC_API_KEY=b", []string{"OPENAI_API_KEY and ANTHROPIC_API_KEY"}},
		"sim, named":         {ProviderFlags{BaseURL: "sim:", KeyEnv: "MY_KEY"}, "MY_KEY=a", []string{"not used: MY_KEY"}},
		"sim and a command":  {ProviderFlags{BaseURL: "sim:", KeyCmd: "false"}, "", []string{"not used: --key-cmd"}},
		"sim in the shell":   {ProviderFlags{}, "OPENAI_BASE_URL=sim:", []string{"answers are simulated, as OPENAI_BASE_URL is sim:"}},
		"both":               {ProviderFlags{}, "OPENAI_BASE_URL=sim: " + key, []string{"is sim:; set but not used: OPENAI_API_KEY"}},
		"messages":           {ProviderFlags{Endpoint: record.Messages}, key, []string{"OPENAI_API_KEY; --endpoint messages sends ANTHROPIC"}},
		"messages with both": {ProviderFlags{Endpoint: record.Messages}, key + " ANTHROPIC_API_KEY=b", nil},
		"messages, not sim": {ProviderFlags{Endpoint: record.Messages}, "OPENAI_BASE_URL=sim: ANTHROPIC_API_KEY=b",
			[]string{"OPENAI_BASE_URL is sim: but not used: --endpoint messages uses ANTHROPIC_BASE_URL, so this run asks api.anthropic.com"}},
		"a local server": {ProviderFlags{BaseURL: "http://localhost:8000/v1"}, "ANTHROPIC_API_KEY=b", nil},
		"none wanted":    {ProviderFlags{BaseURL: "https://host/v1", KeyEnv: "none"}, key, nil},
		"a header": {ProviderFlags{BaseURL: "https://host/v1", Header: []string{"authorization: Bearer sk-secret", "X-Team: a"}}, "",
			[]string{"--header authorization: other users can see it"}},
	} {
		env := map[string]string{}
		for pair := range strings.FieldsSeq(test.env) {
			variable, value, _ := strings.Cut(pair, "=")
			env[variable] = value
		}
		getenv := func(name string) string { return env[name] }
		p, err := test.flags.Config(getenv, "1")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := test.flags.Remarks(&p, nil, getenv)
		told := strings.Join(got, "\n")
		if len(got) != len(test.want) || len(got) > 0 && !strings.Contains(told, test.want[0]) || strings.Contains(told, "sk-") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	f := ProviderFlags{BaseURL: "sim:"}
	getenv := func(name string) string { return map[string]string{"OPENAI_API_KEY": "sk-one"}[name] }
	p, err := f.Config(getenv, "1")
	if got := f.Remarks(&p, []string{"sk-one"}, getenv); err != nil || len(got) > 0 {
		t.Errorf("a key that a fallback shows is said not to be used: %q, %v", got, err)
	}
}
