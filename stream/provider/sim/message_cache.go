package sim

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What Anthropic keeps in its cache, and for how long
// (platform.claude.com/docs/en/build-with-claude/prompt-caching). Some models require longer
// prefixes than shortestCached.
const (
	shortestCached = 1024 // tokens
	mostMarks      = 4
	lookback       = 20 // how many blocks before a mark a cached prefix may end
	fiveMinutes    = 5 * time.Minute
	anHour         = time.Hour
)

// block is a part of a prompt at whose end a cached prefix may end.
type block struct {
	prefix uint64        // the hash of the prompt up to its end
	tokens int           // of the prompt up to its end
	life   time.Duration // how long the prefix that it marks is kept; 0 if it has no mark
}

// cached is what a request reads from the cache and writes to it, in tokens.
type cached struct {
	read, write int
	hour        int // the part of write that is kept for an hour
}

// cache is the simulator's cache of prompts, shared by all clients.
type cache struct {
	mu   sync.Mutex
	ends map[uint64]kept
}

// kept says how long a prefix stays in the cache after its last use, and until when that is.
type kept struct {
	until time.Time
	life  time.Duration
}

// look returns what a request reads from the cache and writes to it, if its prompt has these
// blocks. The prefix that it reads is kept for another life.
func (c *cache) look(blocks []block, now time.Time) (found cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := -1
	for i := range blocks {
		if blocks[i].life > 0 && blocks[i].tokens >= shortestCached {
			last = i
		}
	}
	if last < 0 {
		return cached{}
	}
	from := 0
	for i := last; i >= 0; i-- {
		if !nearMark(blocks, i) {
			continue
		}
		if k, ok := c.ends[blocks[i].prefix]; ok && now.Before(k.until) {
			c.ends[blocks[i].prefix] = kept{now.Add(k.life), k.life}
			found.read, from = blocks[i].tokens, i+1
			break
		}
	}
	at := found.read
	for i := from; i <= last; i++ {
		if b := &blocks[i]; b.life > 0 && b.tokens >= shortestCached {
			found.write += b.tokens - at
			if b.life == anHour {
				found.hour += b.tokens - at
			}
			at = b.tokens
		}
	}
	return found
}

// nearMark reports whether the block at i has a mark, or a later mark's lookback reaches it.
func nearMark(blocks []block, i int) bool {
	return slices.ContainsFunc(blocks[i:min(i+lookback+1, len(blocks))], func(b block) bool { return b.life > 0 })
}

// keep stores the prefixes that a request's marks write, once its answer has begun. Requests that
// were looked up meanwhile write the same prefixes.
func (c *cache) keep(blocks []block, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends == nil {
		c.ends = make(map[uint64]kept)
	}
	for i := range blocks {
		if b := &blocks[i]; b.life > 0 && b.tokens >= shortestCached {
			c.ends[b.prefix] = kept{now.Add(b.life), b.life}
		}
	}
	maps.DeleteFunc(c.ends, func(_ uint64, k kept) bool { return now.After(k.until) })
}

// blocks splits a prompt into blocks, if it marks anything for the cache: tools, system prompt and
// messages, in that order.
func (q *request) blocks() ([]block, *apiError) {
	if !q.endpoint.anthropic || !bytes.Contains(q.body, []byte(`"cache_control"`)) {
		return nil, nil
	}
	r := blockReader{request: q, hash: hash(0, []byte(q.model))}
	r.list(q.message.tools, 0)
	r.list(q.message.system, 0)
	var said []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(q.message.messages, &said) == nil {
		for _, m := range said {
			r.hash = mix(r.hash, hash(0, []byte(m.Role)))
			r.list(m.Content, perMessage)
		}
	}
	if q.message.automatic != nil && len(r.blocks) > 0 {
		r.blocks[len(r.blocks)-1].life = lifeOf(q.message.automatic)
		r.marks++
	}
	if r.marks > mostMarks {
		return nil, &apiError{status: 400, kind: invalid,
			message: "A maximum of 4 blocks with cache_control may be provided. Found " + strconv.Itoa(r.marks) + "."}
	}
	for i := range r.blocks { // a block ends within the prompt
		r.blocks[i].tokens = min(r.blocks[i].tokens, q.promptTokens+q.otherTokens)
	}
	return r.blocks, nil
}

// blockReader collects blocks.
type blockReader struct {
	request *request
	blocks  []block
	hash    uint64
	tokens  int
	marks   int
}

// list reads a text, or an array of blocks. more is how many tokens come before it.
func (r *blockReader) list(raw []byte, more int) {
	r.tokens += more
	r.request.eachBlock(raw, r.add)
}

// eachBlock calls add for a text, or for each block of an array. It passes the block's text, or
// else its other members; their number of tokens; and the block's mark, which is nil if there is
// none.
func (q *request) eachBlock(raw []byte, add func(plain []byte, tokens int, mark []byte)) {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		if !isNull(raw) {
			add(raw, q.tokens(raw), nil)
		}
		return
	}
	for _, one := range all {
		var members map[string]json.RawMessage
		if json.Unmarshal(one, &members) != nil {
			continue
		}
		mark := members["cache_control"]
		delete(members, "cache_control")
		if text := members["text"]; text != nil {
			add(text, q.tokens(text), mark)
			continue
		}
		plain, _ := json.Marshal(members) // they were just read
		n := q.tokens(plain)
		if source := members["source"]; source != nil {
			p := picture{form: "source", raw: source}
			p.look()
			n = p.tokens(q.model)
		}
		add(plain, n, mark)
	}
}

// add adds a block: a raw value, its number of tokens, and its mark, nil for none.
func (r *blockReader) add(raw []byte, tokens int, mark []byte) {
	r.hash = mix(r.hash, hash(0, raw))
	r.tokens += tokens
	b := block{prefix: r.hash, tokens: r.tokens}
	if !isNull(mark) {
		b.life = lifeOf(mark)
		r.marks++
	}
	r.blocks = append(r.blocks, b)
}

// lifeOf returns how long the prefix that a cache_control marks is kept.
func lifeOf(mark []byte) time.Duration {
	var control struct {
		TTL string `json:"ttl"`
	}
	if json.Unmarshal(mark, &control) == nil && control.TTL == "1h" {
		return anHour
	}
	return fiveMinutes
}
