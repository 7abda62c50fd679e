package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

// line is what these tests read of a result.
type messageLine struct {
	ID      int     `json:"id"`
	Content string  `json:"content"`
	Cost    float64 `json:"cost_usd"`
	Usage   struct {
		Prompt     float64 `json:"prompt_tokens"`
		Completion float64 `json:"completion_tokens"`
	} `json:"usage"`
}

// The same prompts have the same ids and contents, whichever API they are put to, and cost what
// their own usage comes to.
func TestMessagesSayWhatChatSays(t *testing.T) {
	t.Parallel()
	const records = 1000
	contents := map[int]string{}
	for _, endpoint := range []string{"chat", "responses", "messages"} {
		p := llmpipe(t, t.TempDir(), "--base-url", "sim:?latency=5ms", "-m", "claude-haiku-4-5", "--endpoint", endpoint)
		p.Stdin = strings.NewReader(numbered(1, records))
		p.exits(t, 0)
		lines := p.lines()
		if len(lines) != records {
			t.Fatalf("%s: %d lines", endpoint, len(lines))
		}
		for _, text := range lines {
			var l messageLine
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			if said, ok := contents[l.ID]; ok && said != l.Content {
				t.Errorf("%s says %q to %d, and another %q", endpoint, l.Content, l.ID, said)
			}
			contents[l.ID] = l.Content
			// $1 and $5 a million tokens (platform.claude.com/docs/en/about-claude/pricing)
			if want := (l.Usage.Prompt + 5*l.Usage.Completion) / 1e6; math.Abs(l.Cost-want) > 1e-9 {
				t.Errorf("%s: %d cost %v, want %v", endpoint, l.ID, l.Cost, want)
			}
		}
	}
	if len(contents) != records {
		t.Errorf("%d ids", len(contents))
	}
}

// A shared system prompt that is marked for the cache is written once, read by all others, and
// billed at the prices of those: 1.25 times and a tenth of the input's.
func TestCachedSystemPrompt(t *testing.T) {
	t.Parallel()
	const records, words = 400, 10_000
	s := startSim(t, "latency=20ms")
	dir := t.TempDir()
	writeFile(t, dir, "system.json",
		`[{"type":"text","text":"`+strings.Repeat("word", words)+`","cache_control":{"type":"ephemeral"}}]`)
	p := llmpipe(t, dir, "--base-url", s.URL, "-m", "claude-haiku-4-5", "--endpoint", "messages", "--set", "system=@system.json",
		"--budget", "50", "--summary", "summary.json")
	p.Stdin = strings.NewReader(numbered(1, records))
	p.exits(t, 0)
	var counted struct {
		Models map[string]struct {
			Prompt  float64 `json:"prompt_tokens"`
			Output  float64 `json:"completion_tokens"`
			Read    float64 `json:"cache_read_tokens"`
			Written float64 `json:"cache_write_tokens"`
		} `json:"models"`
	}
	s.get(t, "/stats", &counted)
	m := counted.Models["claude-haiku-4-5"]
	if m.Written != words || m.Read != words*(records-1) {
		t.Errorf("%v tokens were written, %v read", m.Written, m.Read)
	}
	want := (m.Prompt - m.Read - m.Written + 1.25*m.Written + 0.1*m.Read + 5*m.Output) / 1e6
	var summary struct {
		Cost float64 `json:"cost_usd"`
	}
	readJSON(t, dir, "summary.json", &summary)
	if fmt.Sprintf("%.4f", summary.Cost) != fmt.Sprintf("%.4f", want) {
		t.Errorf("cost %v, want %v", summary.Cost, want)
	}
	if full := (m.Prompt + 5*m.Output) / 1e6; summary.Cost > full/5 {
		t.Errorf("cost %v, and without a cache %v", summary.Cost, full)
	}
}

// Lines of Anthropic's batches are asked as they are, and other formats hold the answer in its
// form.
func TestMessageLines(t *testing.T) {
	t.Parallel()
	const line = `{"custom_id":"a","params":{"model":"claude-haiku-4-5","max_tokens":3,` +
		`"messages":[{"role":"user","content":"Hello there, you"}]}}`
	for format, says := range map[string]string{
		"result": `"finish_reason":"max_tokens","flagged":"length"`,
		"raw":    `{"id":"a","response":{"id":"msg_`,
		"batch":  `"custom_id":"a","response":{"status_code":200,"request_id":"","body":{"id":"msg_`,
		"text":   "Simulated answer to",
	} {
		p := llmpipe(t, t.TempDir(), "--base-url", "sim:", "--endpoint", "messages", "-f", format)
		p.Stdin = strings.NewReader(line + "\n")
		p.exits(t, 0)
		if !strings.Contains(p.out.String(), says) {
			t.Errorf("%s: %s", format, &p.out)
		}
	}
}

// Who has no key at Anthropic is told which variable should hold it.
func TestMessagesWantAKey(t *testing.T) {
	t.Parallel()
	p := llmpipe(t, t.TempDir(), "--endpoint", "messages")
	p.Stdin = strings.NewReader(numbered(1, 1))
	p.exits(t, 1)
	p.says(t, "no key: ANTHROPIC_API_KEY is not set", "hint: export ANTHROPIC_API_KEY=…")
}
