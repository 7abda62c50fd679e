package price

import "strings"

// modelKey returns a model's name as the table's key for it: in lower case, and with dashes for
// dots, because some people write claude-sonnet-4.5 for claude-sonnet-4-5.
func modelKey(model string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '.':
			return '-'
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, model)
}

// dateForms are the endings that tell a model's snapshots apart, with 9 for any digit:
// gpt-4o-mini-2024-07-18, claude-opus-4-1-20250805 (with an @ on Vertex), command-r-08-2024,
// grok-4-0709, gemini-2.0-flash-001. Longer ones come first.
var dateForms = []string{"-9999-99-99", "-20999999", "@20999999", "-99-2099", "-9999", "-099"}

// undated returns a key without the snapshot's date or -latest, and false if it has neither. It
// removes a single ending: gpt-4-0125-preview does not become gpt-4.
func undated(key string) (string, bool) {
	if base, ok := strings.CutSuffix(key, "-latest"); ok {
		return base, base != ""
	}
	for _, form := range dateForms {
		cut := len(key) - len(form)
		if cut > 0 && hasForm(key[cut:], form) {
			return key[:cut], true
		}
	}
	return key, false
}

func hasForm(text, form string) bool {
	for i := range len(form) {
		digit := '0' <= text[i] && text[i] <= '9'
		if form[i] == '9' && !digit || form[i] != '9' && text[i] != form[i] {
			return false
		}
	}
	return true
}

// tunedKey returns the key for the price of a fine-tuned model: ft:gpt-4o-mini for both
// ft:gpt-4o-mini-2024-07-18:org::id and Azure's gpt-4o-mini-2024-07-18.ft-id. A fine-tuned model
// never has the price of its base model.
func tunedKey(model string) (string, bool) {
	base, tuned := strings.CutPrefix(model, "ft:")
	if tuned {
		base, _, _ = strings.Cut(base, ":")
	} else if base, _, tuned = strings.Cut(model, ".ft-"); !tuned {
		return "", false
	}
	base, _ = undated(modelKey(base))
	return "ft:" + base, true
}

// familyOf guesses the family from a name: its first word and the number of its generation. So
// claude-haiku-4-5 belongs to claude-4, and claude-3-5-haiku to claude-3.
func familyOf(key string) string {
	words := strings.Split(key[strings.LastIndexByte(key, '/')+1:], "-")
	for _, word := range words[1:] {
		if word != "" && '0' <= word[0] && word[0] <= '9' && len(word) < len("0709") {
			return words[0] + "-" + word
		}
	}
	return words[0]
}
