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
// (platform.claude.com/docs/en/build-with-claude/prompt-caching). Some models want longer prefixes
// than the shortest.
const (
	shortestCached = 1024 // tokens
	mostMarks      = 4
	lookback       = 20 // blocks before a mark at which a cached prefix may end
	fiveMinutes    = 5 * time.Minute
	anHour         = time.Hour
)

// block is a part of a prompt at whose end a cached prefix may end.
type block struct {
	prefix uint64        // the hash of all up to its end
	tokens int           // of all up to its end
	life   time.Duration // how long what it marks is kept; 0 where it marks nothing
}

// cached is what a request reads from the cache and writes to it, in tokens.
type cached struct {
	read, write int // of write
	hour        int // for an hour
}

// cache is the simulator's, of all who ask.
type cache struct {
	mu   sync.Mutex
	ends map[uint64]kept
}

// kept is a prefix that is there for a while after it was used last.
type kept struct {
	until time.Time
	life  time.Duration
}

// look says what a request whose prompt has these blocks reads and writes. What is read is kept on.
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

// nearMark tells whether the block at i is marked, or a mark's lookback reaches it.
func nearMark(blocks []block, i int) bool {
	return slices.ContainsFunc(blocks[i:min(i+lookback+1, len(blocks))], func(b block) bool { return b.life > 0 })
}

// keep notes what a request's marks have written, once its answer has begun: those that were asked
// meanwhile have written the same.
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

// blocks takes a prompt apart where it marks anything for the cache: tools, system prompt and
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
	for i := range r.blocks { // the reply's own tokens come last
		r.blocks[i].tokens = min(r.blocks[i].tokens, q.promptTokens+q.otherTokens)
	}
	return r.blocks, nil
}

// blockReader gathers blocks.
type blockReader struct {
	request *request
	blocks  []block
	hash    uint64
	tokens  int
	marks   int
}

// list reads a text, or an array of blocks, before which there are so many tokens more.
func (r *blockReader) list(raw []byte, more int) {
	r.tokens += more
	r.request.eachBlock(raw, r.add)
}

// eachBlock calls add for a text, or each of an array of blocks: with the text, or what else the
// block holds, its tokens, and its mark, nil for none.
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

// add adds a block, which is a raw value of so many tokens, and its mark, nil for none.
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

// lifeOf is how long what a cache_control marks is kept.
func lifeOf(mark []byte) time.Duration {
	var control struct {
		TTL string `json:"ttl"`
	}
	if json.Unmarshal(mark, &control) == nil && control.TTL == "1h" {
		return anHour
	}
	return fiveMinutes
}
