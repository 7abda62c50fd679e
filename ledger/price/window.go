package price

import "strings"

// windows are the context windows, in tokens, of the models whose names begin with a prefix, as
// their makers publish them: developers.openai.com/api/docs/models,
// platform.claude.com/docs/en/about-claude/models, ai.google.dev/gemini-api/docs/models. A longer
// prefix comes before a shorter one that it begins with. If models with one prefix differ, the
// largest window counts.
var windows = []struct {
	prefix string
	tokens int64
}{
	{"chatgpt-4o", 128_000}, {"gpt-4o", 128_000}, {"gpt-audio", 128_000},
	{"gpt-4-1", 1_047_576}, {"gpt-4-5", 128_000}, {"gpt-4-turbo", 128_000}, {"gpt-4-32k", 32_768}, {"gpt-4", 128_000},
	{"gpt-3-5", 16_385},
	{"gpt-5-4-mini", 400_000}, {"gpt-5-4-nano", 400_000}, {"gpt-5-1", 400_000}, {"gpt-5-2", 400_000}, {"gpt-5-3", 400_000},
	{"gpt-5-mini", 400_000}, {"gpt-5-nano", 400_000}, {"gpt-5-pro", 400_000}, {"gpt-5-codex", 400_000}, {"gpt-5-chat", 400_000},
	{"o1", 200_000}, {"o3", 200_000}, {"o4", 200_000},
	{"claude-2", 200_000}, {"claude-3", 200_000}, {"claude-instant", 100_000}, {"claude-haiku-4", 200_000},
	{"claude-opus-4-0", 200_000}, {"claude-opus-4-1", 200_000}, {"claude-opus-4-2", 200_000}, {"claude-opus-4-5", 200_000},
	{"claude-", 1_000_000},
	{"gemini-1-5-pro", 2_097_152}, {"gemini-", 1_048_576},
}

// windowOf returns the context window of a model by its key, with or without its maker's name. It
// returns 0 if the window is not known.
func windowOf(key string) int64 {
	key = key[strings.LastIndexByte(key, '/')+1:]
	for _, w := range windows {
		if strings.HasPrefix(key, w.prefix) {
			return w.tokens
		}
	}
	return 0
}
