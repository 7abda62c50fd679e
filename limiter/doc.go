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
// breaker, the hold, the concurrency, the backlog, the budgets, and a bucket for each
// of requests, tokens, input tokens and output tokens. One timer, for the first waiter, is
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
// reserved for the completion stays charged.
//
// Where headers tell limits of input and output apart, as Anthropic's do, each
// has its bucket. Output is charged as much as is likely, whatever max_tokens
// is, and adjusted to what came; input is what no cache held, by the share that
// the last answers read from one. A request that marks a part of its prompt for
// the cache goes alone until one such was answered: those asked together would
// each pay for writing what the first has written.
//
// # Limits that are told
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
// Told in Config, a limit is used to the full. Learned from x-ratelimit-*
// (OpenAI, Azure, Groq and others) and anthropic-ratelimit-* headers, it wins
// over a told one that is higher, and is used to 97 %. What remains by the
// provider's count is kept beside our own, and only ever lowers what may go. A
// limit that takes longer than 5 minutes to reset is a day's (Groq's requests)
// and is ignored. The first answer's limit is believed at once; later ones, and
// any beside a limit in Config, only if they stay: three answers more tell it
// than do not. So the odd header of one backend behind a router changes nothing.
//
// Config.Headroom leaves a percentage of each limit unused, told or learned. Of one that nobody
// tells it leaves less: where it lies is seen only when something is refused, and the lane goes up
// until then.
//
// # What nobody tells
//
// The provider decides on requests in the order in which they are sent, so that
// is the order in which they are judged (sends.go). Refusals come back in tens
// of milliseconds and answers in seconds: in the order in which they come back
// every lull of answers would look like an outage. What was neither refused nor
// failed within three times the time that refusals take counts as accepted.
//
// A refusal that does not depend on how much is sent, by chance, costs its own
// record time and the lane nothing. One that does is a limit. They are told
// apart by trying, as BBR and PCC Vivace tell loss from congestion (Cardwell et
// al., 2016; Dong et al., 2018):
//
//   - A rise of the share of bad sends, refused or failed, is looked for by a
//     cumulative sum (evidence.go). While the lane still doubles, which has half of
//     everything refused beyond a limit, a share that does not grow is chance.
//   - At a rise, what is accepted is measured for 0.3 s, with no more in flight
//     than that. If refused and accepted requests differ by how many were in
//     flight beside them, the server has so many places (places.go): the lane
//     keeps to them, and tries one more now and then. What is refused in such a try says
//     nothing of the rate.
//   - Otherwise the rate is cut to 85 % of what was accepted, and the shares
//     before and after are compared, by a sequential test (evidence.go). If bad sends
//     get rarer, it is a limit, and 97 % of it is held. If not, they come by
//     chance, the rate before is restored, and the same is tried again later.
//     More than a quarter is never chance, and where a limit is told or was held
//     before, chance takes more proof: others may use what a cut leaves.
//   - A limit that is held is followed (climb.go). From one refusal to the next a
//     bucket is filled by as much as was taken out, so what was accepted between
//     them is the limit, and 98.5 % of it is sent. After a while without a
//     refusal the rate rises, faster and faster, for the limit may have moved; the
//     longer it has held, the longer that while. Several clients of a told limit
//     raise their parts by the same and lower them in proportion, which makes
//     them equal. Where prompts have become much larger since the rate was measured,
//     its tokens rise at once: it may be requests that are limited. Time in which
//     there was nothing to send counts for no rate.
//
// A run of refusals with nothing accepted that was sent after its first means
// that the gate is shut for all: an empty bucket, a used window (hold.go). The
// lane then waits for as long as it was told, or a quarter of a second, doubling
// to 5 s, sends one request to see, and goes on at the rate of what the whole
// cycle accepted. A hint is believed at the first refusal where -c allows one or two
// in flight, and one of 5 s or more anywhere, once.
// Every hint is honoured by its own record, which is its caller's to do.
//
// # Limits that are shared
//
// With Config.Share other processes use the same limits, too. Then time fills no bucket. What is
// sent is leased from a store that all of them ask, about five times a second each while there is
// something to send, and the store gives out no more than the limit allows, by its own clock
// (package lease). Whoever made the Sharer carries Ask to the store and what it grants to Heed: the
// limiter itself knows no network. Until the first grant nothing is sent, for others may know what
// this process was not told; the lowest limit that any of them was told or has learned holds. While
// the store is away a limiter goes on at its part, which is the limit divided by as many as there
// were, and never more.
//
// What nobody tells is found out by one of them, the leader (lead.go). It hears through the store
// what became of all their requests, judges them as a limiter alone judges its own, and tells the
// limit that it believes: so one wave of refusals lowers it once, and who comes later begins with
// what is known. What it hears is up to a second old, so it rises more slowly, and after a change
// waits until that shows. When the limit is met for the first time each limiter stands still by
// itself until the leader has a limit. A leader that falls silent is followed by another, which goes
// on from the limit that was believed.
//
// Whose hold or breaker shuts the gate shuts it for all, and alone sends the probes. Where
// everything fails the leader sees it first, and opens its breaker.
//
// # Concurrency
//
// It begins at 8, or a second's worth of a told RPM, and doubles, one more with
// each answer, for as long as a doubling brings a quarter more tokens a second
// (trial.go, by Little's law). Requests that have been out for four mean waits
// count for nothing there: a server whose threads are bound to connections
// starves all others. Failures take their time and bring nothing, so they stop
// growth only where their share grows with it. A growth that gained nothing is
// taken back, and a gentler one tried a minute later; a lane never falls below
// where it was for being slow. A refused request keeps its place until it would
// have been answered, unless refusals come by chance: who fills it at once is
// refused as often as a refusal is quick.
//
// # Breaker
//
// Eight failures with no success between, in the order of coming back and, mostly,
// of sending, open it. A refusal counts as one if it says that the provider is
// overloaded, and not for how long. Probes then come a tenth of the outage apart,
// 0.75 s at first and a minute at most, so that no more than a tenth of it is lost
// after its end; a second one goes out when the first has not failed in the time
// that failures take. Two successes close the breaker, at half the concurrency,
// which then doubles back to what it was, and at the rate that was believed
// before the outage began. Settle returns the Streak that a failure belongs to: if
// that opened the breaker, the records that failed in it are to have their
// attempts back.
//
// # Budget
//
// A Budget is money, and several lanes may share one. A request's worst case is
// reserved when it is granted, and replaced by what it cost when it is settled;
// where nobody says what it cost, as after a time-out, the worst case stays. Where
// others show that it was too low it is raised, room or not. A request that does
// not fit waits for settlements. When it does not fit with nothing
// reserved that could give way, waiting ends for good, with an *OverBudget.
//
// Money may be held for other things than requests, such as batches. It is
// released like a reservation, or left to what goes on without this process:
// then it stays set aside, but is nothing to wait for.
//
// A budget that other processes have, too, is lent in parts, through a [Lease]. What exceeds the
// part waits for more of it, and for the settlements of what is in flight here; only when the lease
// says that no more will come is there no room. What others have spent counts for the colours.
//
// # Giving up
//
// Waiting ends for good, with a *GaveUp, when there was pressure and no other
// answer for Config.GiveUp, when the breaker was open as long, or as soon as
// the provider names a longer wait than that. It ends only while nothing may be
// sent or by an answer: a lane that was idle for hours is tried first.
package limiter
