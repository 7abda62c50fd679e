package sim

import "time"

// Options says how a simulated provider behaves. The zero value answers
// everything at once and never fails; ParseOptions has friendlier defaults.
type Options struct {
	// Latency is the mean time to an answer. Refusals (limits, outages,
	// pressure, bad requests) come at once.
	Latency time.Duration
	// LatencyDrift is how the mean moves.
	LatencyDrift Drift
	// Jitter spreads an answer's latency evenly over Latency*(1±Jitter); 0 to 1.
	Jitter float64
	// Stragglers is the share of answers, 0 to 1, that take StragglerLatency instead; 0 means ten
	// times Latency.
	Stragglers       float64
	StragglerLatency time.Duration

	// RPM and TPM are requests and tokens a minute, 0 for no limit. They refill
	// continuously. A request is charged when it arrives, with its prompt and
	// the output it may ask for (max_tokens times n, else the expected output);
	// what fails later stays charged. What a limit refuses is not charged, so
	// that the time it is told to wait is true.
	RPM, TPM int
	// RPMChange and TPMChange are how these move.
	RPMChange, TPMChange Change
	// ITPM and OTPM are input and output tokens a minute of Anthropic's API, where TPM does not hold;
	// 0 for no limit. Input is charged when the request arrives, without what is read from the cache;
	// output when it is there, and a request is let in where any is left.
	ITPM, OTPM int
	// Burst is how much of a minute's limit may be spent at once; 0 means a
	// minute. With 1s, 60 RPM are one request a second. A full bucket grants
	// any request up to the minute's limit.
	Burst time.Duration
	// Window, unless 0, is the length of windows in each of which the limits' part may be spent,
	// instead of a bucket that refills: with 10s, 60 RPM are ten requests every ten seconds. They
	// are fixed, from the simulator's start on; or Sliding, which counts back from each request.
	Window  time.Duration
	Sliding bool
	// Headers sends x-ratelimit-*, or anthropic-ratelimit-*, for the limits that are set: a minute's
	// limit as it is at the moment, and what remains of the bucket or the window.
	Headers bool
	// RefundOutput gives the part of max_tokens that was not used back when the
	// answer is ready, to a bucket. OpenAI does not.
	RefundOutput bool
	// RetryAfter is what a refusal says: by a limit, a pressure, an outage or for want of a place.
	// 0 means the true time until there is room for a limit, 1s for pressure, and no such header in
	// an outage and for want of a place. With NoRetryAfter none says how long to wait.
	RetryAfter time.Duration

	// Shares of requests, 0 to 1 and together at most 1, that are answered
	// with 500, a connection reset, a 200 whose JSON breaks off, nothing until
	// the client goes away, a 429 with Retry-After, a 200 with an empty
	// body, and a completion cut short with finish_reason length. Calls about
	// files and batches meet Fail, Reset, Hang and Pressure before anything is
	// done; inside a batch there is only Truncate.
	Fail, Reset, Garbage, Hang, Pressure, Empty, Truncate float64
	// Misfit is the share of objects asked for by a schema, 0 to 1, that come in a code fence, with
	// words around, without a required property, with one of a wrong type, or cut short.
	Misfit float64
	// Lost is the share of requests that the model answers, and that are billed, and whose answer is
	// lost on its way: LostStatus comes in its place, one of LostStatuses; 0 means 504.
	Lost       float64
	LostStatus int
	// Odd is how many requests it takes until one is answered as pressure is, and names a limit of 60
	// requests a minute in its headers that no other answer names: as a router does that passes on
	// what one of many backends says. 0 for never.
	Odd int
	// LinkDown is how long the link is down, each time that it was up for LinkUp. At its end all that
	// is under way is reset, and so is all that comes while it is down. 0 for never.
	LinkDown, LinkUp time.Duration
	// PressureStatus is the status of pressure, one of Statuses; 0 means 429.
	PressureStatus int
	// Outage is when everything is answered with 503.
	Outage []Window
	// OutageStatus is the status in an outage, one of Statuses. 0 means a 503 that does not say
	// why; a 503 that is asked for has code "overloaded".
	OutageStatus int
	// MaxInFlight is the number of places: of requests served at once, beyond which the answer is a
	// refusal. 0 for no bound.
	MaxInFlight int
	// InFlightStatus is the status of such a refusal, one of Statuses; 0 means 503.
	InFlightStatus int
	// Threads is the number of connections that are served at once, each until it was idle for five
	// seconds; others wait. It is what llama.cpp's server does. 0 for no bound. In a handler without
	// a server of the simulator's it means nothing.
	Threads int
	// Slow is the number of requests at once beyond which latency grows in
	// proportion, as on a server of one's own; 0 for never.
	Slow int
	// Quota is the number of answers after which the rest are refused with 429
	// insufficient_quota; 0 for no bound.
	Quota int

	// BatchLatency is the time from the making of a batch to its end. Cancelling
	// takes a tenth of it. RPM and TPM do not apply to what is in a batch.
	BatchLatency time.Duration
	// BatchWindow is the time after which a batch expires with what it has; 0
	// means the 24 hours that it is asked for.
	BatchWindow time.Duration
	// BatchExpire is the share of a batch's requests, 0 to 1, that nobody gets
	// to: the batch ends as expired, with an error line for each of them.
	// BatchExpireFirst is the number of batches that this happens to, from the
	// first; 0 means all.
	BatchExpire      float64
	BatchExpireFirst int
	// BatchFail is the share of a batch's requests, 0 to 1, that end as 500 in
	// its error file.
	BatchFail float64
	// BatchTokens is the number of prompt tokens that the unfinished batches of
	// one model may hold together; a batch beyond it ends as failed, with
	// token_limit_exceeded. 0 for no bound.
	BatchTokens int
	// BatchLost and FileLost are the number of batches and of uploads, from the
	// first, whose making succeeds and whose answer is lost in a connection
	// reset.
	BatchLost, FileLost int
	// BatchMax is the number of requests that a batch may have: one with more ends as failed. 0 for as
	// many as the API allows.
	BatchMax int
	// BatchForeign is the number of batches that others make right after the first.
	BatchForeign int
	// FileMax is the number of bytes that an upload, or a Message Batch, may have: more is refused
	// with 413. 0 for no bound.
	FileMax int
	// FileDelay is the time after an upload until a batch finds the file; for
	// half of it there is no such file, then its status is "uploaded".
	FileDelay time.Duration

	// Dialect is the provider whose dialect of files and batches is spoken, one of Dialects; "" is
	// OpenAI.
	Dialect string

	// Output is the mean number of visible completion tokens; 0 means 20.
	Output int
	// Overrun is what goes beyond max_tokens, and is billed; empty for nothing.
	Overrun Overrun
	// Bill is a provider whose way to bill, and to say so in the usage, the simulator takes on:
	// openai, xai, anthropic and others, see billings. Stats has the sum. Empty for OpenAI's usage
	// without a bill.
	Bill string
	// Key, if set, is the only key let in: others get 401.
	Key string
	// Models, if set, are the only models there are: others get 404. If not,
	// any name will do, and GET /v1/models lists gpt-4o-mini.
	Models []string
	// Pretty indents the bodies, as some servers do.
	Pretty bool
	// Seed varies the answers, their lengths, and what fails.
	Seed uint64
}

// Overrun is what a server does not hold to max_tokens.
type Overrun string

// The overruns.
const (
	OverrunAll       Overrun = "all"       // it does not know max_tokens
	OverrunReasoning Overrun = "reasoning" // it bounds what is shown, and reasoning comes on top
)

// Window is a stretch of time since the simulator's start, From included, To not.
type Window struct{ From, To time.Duration }

// NoRetryAfter as Options.RetryAfter is to say nothing about how long to wait.
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
