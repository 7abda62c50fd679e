package media

// Tokens per second: of a recording at OpenAI (platform.openai.com/docs/guides/realtime-costs: a
// token for 100 ms of what the user says), of a recording at Gemini, and of a film at Gemini
// (ai.google.dev/gemini-api/docs/tokens).
const (
	openAISecond = 10
	geminiSecond = 32
	filmSecond   = 263
)

// Bytes per second, if the header does not say: of most MP3s of speech, of the lowest rate in use,
// and of a film of low resolution.
const (
	speechRate = 8_000
	leastRate  = 1_000
	filmRate   = 125_000
)

// likelySeconds is the length assumed for a recording or film whose data is not in the request.
const likelySeconds = 60

// audio returns the tokens that a recording is billed as.
func (m *model) audio(p *Part) tokens {
	second := int64(geminiSecond)
	if m.maker == openAI {
		second = openAISecond
	}
	likely, least := int64(speechRate), int64(leastRate)
	if p.Rate >= leastRate { // a lower rate is a mistake, or a lie
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

// video returns the tokens that a film is billed as. A film's first bytes do not give its length.
func video(p *Part) tokens {
	if p.Encoded == 0 {
		return tokens{filmSecond * likelySeconds, unbounded}
	}
	return tokens{filmSecond * (p.size()/filmRate + 1), unbounded}
}
