package sim

import "time"

// Options says how a simulated provider behaves. The zero value answers
// everything at once and never fails; ParseOptions has friendlier defaults.
type Options struct {
	// Latency is the mean time to an answer. Refusals (by limits, in outages, under pressure, of bad
	// requests) come at once.
	Latency time.Duration
	// LatencyDrift says how the mean latency moves.
	LatencyDrift Drift
	// Jitter spreads an answer's latency evenly over Latency*(1±Jitter); 0 to 1.
	Jitter float64
	// Stragglers is the share of answers, 0 to 1, that take StragglerLatency instead. A
	// StragglerLatency of 0 means ten times the mean latency.
	Stragglers       float64
	StragglerLatency time.Duration

	// RPM and TPM limit requests and tokens per minute; 0 means no limit. They refill continuously,
	// unless Window is set. A request is charged when it arrives, for its prompt and the output that
	// it may get (max_tokens times n, or else the expected output). It stays charged if it fails
	// later. A request that a limit refuses is not charged, so that the time that it is told to wait
	// is true.
	RPM, TPM int
	// RPMChange and TPMChange say how these limits change.
	RPMChange, TPMChange Change
	// ITPM and OTPM limit input and output tokens per minute in Anthropic's API, to which TPM does not
	// apply; 0 means no limit. Input is charged when the request arrives, without what is read from
	// the cache. Output is charged when it is known; a request is admitted if any of the output limit
	// is left.
	ITPM, OTPM int
	// Burst is how much of a minute's limit may be spent at once; 0 means a whole minute's. With 1s,
	// 60 RPM means one request a second. A full bucket grants any request up to the minute's limit.
	Burst time.Duration
	// Window, unless 0, replaces the bucket that refills with windows of this length. In each window,
	// that part of a minute's limit may be spent: with 10s, 60 RPM means ten requests every ten
	// seconds. The windows are fixed, counted from the simulator's start. With Sliding there is one
	// window, which ends at the present moment.
	Window  time.Duration
	Sliding bool
	// Headers sends x-ratelimit-*, or anthropic-ratelimit-*, for the limits that are set: the current
	// limit per minute, and what remains of the bucket or the window.
	Headers bool
	// RefundOutput gives the unused part of max_tokens back to the bucket when the answer is ready.
	// OpenAI does not do this.
	RefundOutput bool
	// RetryAfter is how long a refusal says to wait, if it comes from a limit, pressure, an outage or
	// MaxInFlight. 0 means the true time for a limit, 1s for pressure, and no such header in the other
	// two cases. With NoRetryAfter, no refusal says how long to wait.
	RetryAfter time.Duration

	// Fail and the others are shares of requests, 0 to 1 and together with Lost at most 1. In the
	// order of the fields, such a request gets a 500, a connection reset, a 200 whose JSON breaks off,
	// nothing until the client goes away, a 429 with Retry-After, a 200 with an empty body, or a
	// completion cut short with finish_reason length. For calls about files and batches, Fail, Reset,
	// Hang and Pressure strike before anything is done; inside a batch there is only Truncate.
	Fail, Reset, Garbage, Hang, Pressure, Empty, Truncate float64
	// Misfit is the share, 0 to 1, of the objects asked for with a schema that are spoilt. They come
	// in a code fence, with words around them, without a required property, with a property of a wrong
	// type, or cut short.
	Misfit float64
	// Lost is the share of requests that the model answers and that are billed, but whose answer is
	// lost on its way. The client gets LostStatus instead, one of LostStatuses; 0 means 504.
	Lost       float64
	LostStatus int
	// Odd, unless 0, refuses one of every so many requests as pressure does, with a header that names
	// a limit of 60 requests a minute. No other answer names that limit. A router does this if it
	// passes on what one of its many backends says.
	Odd int
	// LinkDown is how long the link is down each time after it was up for LinkUp; 0 means never. When
	// it goes down, requests under way are reset, and so are all that arrive while it is down.
	LinkDown, LinkUp time.Duration
	// PressureStatus is the status of pressure, one of Statuses; 0 means 429.
	PressureStatus int
	// Outage lists the times at which requests for answers and calls about files and batches are
	// refused with OutageStatus.
	Outage []Window
	// OutageStatus is the status in an outage, one of Statuses. 0 means a 503 that does not say why; a
	// 503 that is set here has the code "overloaded".
	OutageStatus int
	// MaxInFlight is the number of requests that are served at once; others are refused. 0 means no
	// bound.
	MaxInFlight int
	// InFlightStatus is the status of that refusal, one of Statuses; 0 means 503.
	InFlightStatus int
	// Threads is the number of connections that are served at once; others wait, as in llama.cpp's
	// server. A connection is served until it closes or has been idle for five seconds. 0 means no
	// bound. Threads has no effect on a Server that is the handler of someone else's http.Server.
	Threads int
	// Slow is the number of concurrent requests beyond which latency grows in proportion, as on a
	// server of one's own; 0 means never.
	Slow int
	// Quota is the number of answers after which requests are refused because the account is out of
	// money: with 429 insufficient_quota, and in Anthropic's API with 400. 0 means no bound.
	Quota int

	// BatchLatency is the time from a batch's creation to its end. Cancelling takes a tenth of it. RPM
	// and TPM do not apply to the requests in a batch.
	BatchLatency time.Duration
	// BatchWindow is the time after which a batch expires with the answers that it has; 0 means the 24
	// hours that clients ask for.
	BatchWindow time.Duration
	// BatchExpire is the share of a batch's requests, 0 to 1, that are not processed: the batch ends
	// as expired, with an error line for each of them. BatchExpireFirst is how many batches, from the
	// first, this happens to; 0 means all.
	BatchExpire      float64
	BatchExpireFirst int
	// BatchFail is the share of a batch's requests, 0 to 1, that get a 500.
	BatchFail float64
	// BatchTokens is the number of prompt tokens that the unfinished batches of one model may hold
	// together. A batch that would exceed it fails with token_limit_exceeded. 0 means no bound.
	BatchTokens int
	// BatchLost and FileLost are the numbers of batches and of uploads, from the first, that succeed
	// but whose answer is lost in a connection reset.
	BatchLost, FileLost int
	// BatchMax is the number of requests that a batch may have; a batch with more fails. 0 means as
	// many as the API allows.
	BatchMax int
	// BatchForeign is the number of batches that other clients create right after the first.
	BatchForeign int
	// FileMax is the number of bytes that an upload, or the creation of a Message Batch, may have.
	// More is refused with 413. 0 means no bound.
	FileMax int
	// FileDelay is the time after an upload until a batch finds the file. For the first half of it,
	// nobody finds the file; in the second half its status is "uploaded".
	FileDelay time.Duration

	// Dialect is the provider whose dialect of files and batches is spoken, one of Dialects; "" or
	// "openai" means OpenAI.
	Dialect string

	// Output is the mean number of visible completion tokens; 0 means 20.
	Output int
	// Overrun says what may exceed max_tokens, and is billed; "" means nothing may.
	Overrun Overrun
	// Bill is the provider that the simulator bills like and whose form of usage it writes: openai,
	// xai, anthropic and others, see billings. Stats has the sum. "" means OpenAI's form of usage,
	// without a bill.
	Bill string
	// Key, if set, is the only key that is accepted: other requests get 401.
	Key string
	// Models, if set, are the only models there are: requests for others get 404. If not set, any name
	// is accepted, and GET /v1/models lists gpt-4o-mini.
	Models []string
	// Pretty indents the bodies, as some servers do.
	Pretty bool
	// Seed varies the answers, their lengths, and what fails.
	Seed uint64
}

// Overrun is the part of an answer that a server does not hold to max_tokens.
type Overrun string

// The overruns.
const (
	OverrunAll       Overrun = "all"       // the server does not know max_tokens
	OverrunReasoning Overrun = "reasoning" // max_tokens bounds what is shown, and reasoning comes on top
)

// Window is a span of time, counted from the simulator's start. From is included, To is not.
type Window struct{ From, To time.Duration }

// NoRetryAfter, as Options.RetryAfter, makes refusals say nothing about how long to wait.
const NoRetryAfter time.Duration = -1

const (
	output  = 20                    // Options.Output's default, in tokens
	latency = 50 * time.Millisecond // ParseOptions' default

	batchLatency = 200 * time.Millisecond // ParseOptions' default
)

func (o Options) withDefaults() Options {
	if o.Burst <= 0 || o.Burst > time.Minute {
		o.Burst = time.Minute
	}
	if o.Output <= 0 {
		o.Output = output
	}
	return o
}
