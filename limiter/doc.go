// Package limiter holds back the requests of one lane, which is one provider
// under one key: as many as it allows, and no more. It finds out what that is
// from what it is told, from the headers of the answers, and from what the
// provider accepts and refuses.
//
//	l := limiter.New(limiter.Config{RPM: 500, Clock: limiter.System})
//	defer l.Close()
//	permit, err := l.Acquire(ctx, limiter.Request{PromptBytes: len(prompt), MaxTokens: 200})
//	if err != nil {
//		return err // *TooLarge: this record's; ErrGaveUp: the lane's; or ctx's
//	}
//	answer := ask(prompt)
//	permit.Settle(limiter.Outcome{Kind: limiter.Success, FirstTry: true, Quota: limiter.ParseQuota(answer.Header, now)})
//
// The package sleeps nowhere and reads no clock of its own: Config.Clock is
// all the time it knows. Everything is under one mutex, and every event ends
// in an attempt to answer the waiters, so no goroutine runs here.
//
// # Permits
//
// There are two queues, retries before new requests, each in the order of
// arrival. The first waiter goes when all gates have room at once; until then
// it holds nothing, so two gates can never starve each other. The gates are the
// breaker, the pause, the concurrency, the budgets, and a bucket for each of
// requests, tokens, input tokens and output tokens. One timer, for the first waiter, is
// all that runs.
//
// A permit ends in Settle, with what the provider said, or in Drop, if the
// request was never sent. Whatever was granted has been settled, dropped, or is
// in flight. A call cancelled on its way is settled as Cancelled: it teaches
// nothing, but the provider may have counted it.
//
// # Tokens
//
// A request is charged its estimated prompt tokens and max_tokens, or the
// learned mean completion if it names none: OpenAI counts max_tokens before it
// answers. The estimate begins at a token for 3 bytes, and follows the usage
// in the answers as a ratio of two running means (weight 0.1 for the newest).
// Settling replaces the prompt's estimate by the true number at once. What was
// reserved for the completion stays charged, unless the headers count output
// tokens apart, as Anthropic's do: those are adjusted to what was used.
//
// # Rate
//
// A bucket fills evenly, and holds one request or a tenth of a second's worth,
// whichever is more, from the first moment on. OpenAI documents that 60 a
// minute may be enforced as one a second, and Azure looks at one or ten
// seconds: a minute saved up and spent at once is refused. A full bucket grants
// any request up to the minute's limit and goes into debt, so what is granted
// in any t seconds is at most rate*t, one bucket and one request. Only what
// exceeds the minute's limit by the lowest estimate (8 bytes a token) is
// refused, as that record's error; nothing waits for ever. A bucket of a single
// request fills half a percent slower than its limit, for networks do not keep
// time to the millisecond.
//
// # Limits
//
// Three sources, in this order.
//
// Told: the limits in Config, used to the full.
//
// Learned: limits from x-ratelimit-* (OpenAI, Azure, Groq and others) and
// anthropic-ratelimit-* headers. They win over a told limit that is higher, and
// are used to 97 %. What remains by the provider's count is kept beside our
// own, and only ever lowers what may go: a request waits until the provider has
// room for all of it. A limit that takes longer than 5 minutes to reset is a
// day's (Groq's requests) and is ignored.
//
// Found: a resource that nobody tells is paced by trial, once a refusal names a
// time to wait. What was accepted since the last such refusal, at least a second
// ago, is the rate, and 95 % of it, at most halved, is the limit. Each 10 s in
// which that was used without a refusal more is tried: 1 %, then twice as much
// each time, up to a half.
//
// Some refusals come by chance, whatever the rate. Where three such cuts in a
// row, with no growth between, left 2 % or more of the answers refusals, the
// limit is forgotten, and none is looked for in the next minute (then two, four).
//
// Config.Headroom leaves a percentage of each limit unused, of any source.
//
// # Concurrency
//
// It begins at 8, or a second's worth of a told RPM. A round is as many
// first-try successes as are allowed in flight (at least 4) during which 80 % of
// that were in flight, with no failure. Each round doubles the limit up to 32.
//
// Beyond that, and until the first refusal, a doubling must be worth it: over
// 100 answers, or 4 times the limit, the throughput (by Little's law, tokens /
// latency * number in flight) must rise by a third. Otherwise the limit steps
// back, and 60 s later a quarter more is tried, which has to bring an eighth. A
// lane never falls below where it was for being slow.
//
// A refusal cuts the limit to 0.8 of it, once in 15 s or the time that it says
// to wait, and only if it was sent after the last cut, and something since then
// succeeded: who refuses everything does not do so because of how much it is.
// One that names no time says that there is no room for what is in flight: the
// cut then goes to 0.8 of the fewest in flight at any refusal of the burst, but
// never below half. From then on a clean round adds 5 %, at least one, and until the next cut may
// follow not beyond what was refused.
//
// # Breaker
//
// Eight transient failures with no success between open it: for 5 s, then 10,
// up to 60. After that one probe may be out at a time; two successes close it,
// at half the concurrency, which then doubles back to what it was. Settle
// returns the Streak that a failure belongs to: if that opened the breaker, the
// records that failed in it are to have their attempts back.
//
// # Budget
//
// A Budget is money, and several lanes may share one. A request's worst case is
// reserved when it is granted, and replaced by what it cost when it is settled;
// where nobody says what it cost, as after a time-out, the worst case stays. One
// that does not fit waits for settlements. When it does not fit with nothing
// reserved that could give way, waiting ends for good, with an *OverBudget.
//
// Money may be held for other things than requests, such as batches. It is
// released like a reservation, or left to what goes on without this process:
// then it stays set aside, but is nothing to wait for.
//
// # Pauses, and giving up
//
// A refusal that names a time to wait holds the whole lane for all of it.
//
// Waiting ends for good, with a *GaveUp, when there was pressure and no other
// answer for Config.GiveUp, when the breaker was open as long, or as soon as
// the provider names a longer wait than that. It ends only while nothing may be
// sent or by an answer: a lane that was idle for hours is tried first.
package limiter
