package media

// Tokens of a second: of a recording at OpenAI (platform.openai.com/docs/guides/realtime-costs: a
// token for 100 ms of what the user says) and with Gemini, and of a film with Gemini
// (ai.google.dev/gemini-api/docs/tokens).
const (
	openAISecond = 10
	geminiSecond = 32
	filmSecond   = 263
)

// Bytes of a second, where a header does not tell: of speech as MP3s mostly are, of the least that
// there are, and of films of low resolution.
const (
	speechRate = 8_000
	leastRate  = 1_000
	filmRate   = 125_000
)

// likelySeconds is how long a recording or film is that is elsewhere.
const likelySeconds = 60

// audio is what a recording is billed as.
func (m *model) audio(p *Part) tokens {
	second := int64(geminiSecond)
	if m.maker == openAI {
		second = openAISecond
	}
	likely, least := int64(speechRate), int64(leastRate)
	if p.Rate >= leastRate { // a lower one is a mistake, or a lie
		likely, least = int64(p.Rate), int64(p.Rate)
	}
	if p.Encoded == 0 {
		return tokens{second * likelySeconds, unbounded}
	}
	t := tokens{second * (p.size()/likely + 1), second * (p.size()/least + 1)}
	if m.maker != openAI && m.maker != google {
		t.most = unbounded
	}
	return t
}

// video is what a film is billed as. Its length is not in its first bytes.
func video(p *Part) tokens {
	if p.Encoded == 0 {
		return tokens{filmSecond * likelySeconds, unbounded}
	}
	return tokens{filmSecond * (p.size()/filmRate + 1), unbounded}
}
