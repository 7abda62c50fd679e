package key

import (
	"strings"
	"testing"
)

// What stands around a key goes; what no key holds is said, and the key is not.
func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"sk-one": "sk-one", " sk-one\r\n": "sk-one", "\tsk-one \n\n": "sk-one", "\ufeffsk-one\n": "sk-one", "": "", " \n": "",
		"two words": "two words", `"`: `"`, "Bearer": "Bearer",
	} {
		if got, err := Clean(text); err != nil || got != want {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"sk-one\nsk-two": "a line break", "sk-one\rsk-two": "a line break", "sk-\x00one": "a control character",
		"sk-\tone": "a control character", "sk-\x7fone": "a control character", "sk-öne": "non-ASCII", "“sk-one”": "non-ASCII",
		"sk-\u200bone": "non-ASCII", `"sk-one"`: "quotation marks", `'sk-one'`: "quotation marks", "bearer sk-one": "Bearer",
	} {
		got, err := Clean(text)
		if err == nil || got != "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sk-") {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}
