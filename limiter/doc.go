// Package limiter holds back the requests of one lane, which is one provider under one key, so that
// no more are sent than the provider allows. It learns how many that is from its configuration,
// from the headers of the answers, and from what the provider accepts and refuses.
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
// The package never sleeps and has no clock of its own: it takes all time from Config.Clock. One
// mutex guards everything. Every event ends in an attempt to answer the waiters, so the package
// runs no goroutine.
//
// # Permits
//
// There are two queues, each in the order of arrival; retries go before new requests. The first
// waiter goes when all gates have room at once. Until then it holds nothing, so two gates can never
// starve each other. The gates are the breaker, the hold, the concurrency, the backlog, the
// budgets, and a bucket for each of requests, tokens, input tokens and output tokens. There is one
// timer, for the first waiter.
//
// A permit ends in Settle, with what the provider said, or in Drop, if the request was never sent.
// Every permit that was granted has been settled or dropped, or is in flight. A call that is
// cancelled on its way is settled as Cancelled: it teaches nothing, but the provider may have
// counted it.
//
// # Tokens
//
// A request is charged its estimated prompt tokens plus max_tokens, because OpenAI counts
// max_tokens before it answers. If it names no max_tokens, it is charged the learned mean
// completion. The estimate begins at a token for 3 bytes, and follows the usage in the answers as a
// ratio of two running means (weight 0.1 for the newest). Settling replaces the prompt's estimate
// with the true number at once. The max_tokens stay charged, unless the provider has shown that it
// counts output apart.
//
// If headers tell separate limits of input and output, as Anthropic's do, each has its own bucket.
// Output is charged with the likely completion, at most max_tokens, and adjusted to what came.
// Input is charged without the share that the last answers read from a cache. Requests that mark a
// part of their prompt for the cache go one at a time until one of them was answered: sent
// together, each would pay for writing what the first has written.
//
// # Limits that are told
//
// A bucket fills evenly. It holds one request or a tenth of a second's worth, whichever is more,
// and begins full. OpenAI documents that 60 a minute may be enforced as one a second, and Azure
// looks at one or ten seconds, so a minute's worth that is saved up and spent at once is refused. A
// full bucket grants any request up to the minute's limit, and then goes into debt. So in any t
// seconds it grants at most rate*t, plus one bucket, plus one request. Only a request that exceeds
// the minute's limit even by the lowest estimate (8 bytes a token) is refused, as its record's
// error. So nothing waits for ever. A bucket that holds a single request fills half a percent
// slower than its limit, because networks do not keep time to the millisecond.
//
// A limit in Config is used to the full. A limit in x-ratelimit-* headers (OpenAI, Azure, Groq and
// others) or anthropic-ratelimit-* headers wins over a higher one in Config, and is used to 97 %.
// The provider's count of what remains is kept beside our own, and only ever lowers what may be
// sent. A limit that takes longer than 5 minutes to reset is a day's (Groq's requests), and is
// ignored. The limit in the first answer is believed at once. A later one, or any one beside a
// limit in Config, is believed only if it stays: three more answers must tell it than do not. So an
// odd header from one backend behind a router changes nothing.
//
// Config.Headroom leaves a percentage of each limit unused, whether Config or headers told it. Of a
// limit that nobody tells, less is left unused: such a limit shows only when something is refused,
// and the lane sends more and more until then.
//
// # Limits that nobody tells
//
// The provider decides on requests in the order in which they are sent, so the limiter judges them
// in that order (sends.go). Refusals come back in tens of milliseconds, answers in seconds. Judged
// in the order in which they come back, every lull of answers would look like an outage. A request
// that was neither refused nor failed within three times the time that refusals take counts as
// accepted.
//
// Some refusals come by chance, however much is sent. Such a refusal costs its own record time, and
// the lane nothing. Other refusals depend on how much is sent: they come from a limit. The limiter
// tells the two apart by trying, as BBR and PCC Vivace tell loss from congestion (Cardwell et al.,
// 2016; Dong et al., 2018):
//
//   - It looks for a rise in the share of bad sends, refused or failed, by a cumulative sum
//     (evidence.go). While the lane still doubles, a share that does not grow is chance: beyond a
//     limit, doubling has half of everything refused.
//   - At a rise, it measures for 0.3 s what is accepted, with no more in flight than that. If the
//     refused requests differ from the accepted ones by how many were in flight beside them, the
//     server has only that many places (places.go). The lane keeps to them, and tries one more now
//     and then. What is refused in such a try says nothing about the rate.
//   - Otherwise it cuts the rate to 85 % of what was accepted, and compares the shares before and
//     after by a sequential test (evidence.go). If bad sends become rarer, there is a limit, and
//     the lane holds to 97 % of it. If not, they come by chance: the lane goes back to the rate
//     before, and the test is repeated later. A share of more than a quarter is never chance. If a
//     limit is told, or was held before, chance takes more proof, because others may use what a cut
//     leaves.
//   - The lane follows a limit that it holds to (climb.go). From one refusal to the next a bucket
//     is filled by as much as was taken out. So what was accepted between them is the limit, and
//     the lane sends 98.5 % of it. After a while without a refusal the rate rises, faster and
//     faster, because the limit may have moved. The longer the limit has held, the longer that
//     while is. Several clients of a told limit raise their parts by the same amount and lower them
//     in proportion, which makes the parts equal. If prompts have become much larger since the rate
//     was measured, its tokens rise at once, because it may be requests that are limited. Time in
//     which there was nothing to send counts for no rate.
//
// A run of refusals, with nothing accepted that was sent after the first of them, means that the
// provider refuses everything: a bucket is empty, or a window is used up (hold.go). The lane then
// waits as long as the provider asked, or else a quarter of a second, doubling up to 5 s. It sends
// one request to see whether the wait is over, and goes on at the rate that the whole cycle
// accepted. The lane waits for a hint, which is the time that a refusal asks to wait, at the first
// refusal if Config.Concurrency is 1 or 2. In any lane it does so for a hint of 5 s or more, but
// only once. The refused record itself must honour every hint; that is left to the caller.
//
// # Limits that are shared
//
// With Config.Share, other processes use the same limits. Then leases fill the buckets, and time
// does not. Each process asks a common store for leases, about five times a second while it has
// something to send. The store gives out no more than the limit allows, by its own clock (package
// lease). The owner of the Sharer carries Ask to the store, and the store's grant to Heed; the
// limiter itself knows no network. Nothing is sent before the first grant, because the others may
// know a limit that this process was not told. The lowest limit that any of them was told or has
// learned holds for all. While the store is away, a limiter goes on with its part of the limit, and
// no more: that is the limit divided by the number of processes as last heard.
//
// One of the processes, the leader, finds out the limits that nobody tells (lead.go). It hears
// through the store what became of all the processes' requests, judges them as a lone limiter
// judges its own, and tells the others the limit that it believes. So one wave of refusals lowers
// the limit once, and a process that comes later begins with what is known. What the leader hears
// is up to a second old. So it raises the rate more slowly, and after a change it waits until the
// change shows. When the limit is met for the first time, each limiter stands still by itself until
// the leader has a limit. If the leader falls silent, another takes over, and goes on from the
// limit that was believed.
//
// A limiter whose hold or breaker stops it also stops all others, and it alone sends the probes. If
// everything fails, the leader sees it first, and opens its breaker.
//
// # Concurrency
//
// The concurrency is how many requests may be in flight at once. It begins at 8, or at a second's
// worth of Config.RPM if that is more. It doubles, by one more with each answer, as long as a
// doubling brings a quarter more tokens a second (trial.go, by Little's law). Requests that have
// been out for four mean waits count for nothing there, because a server whose threads are bound to
// connections starves all others. Failures take their time and bring nothing, so they stop the
// growth only if their share grows with it. A growth that gained nothing is taken back, and a
// gentler one is tried a minute later. A lane that is merely slow is never lowered below where it
// was before the growth. A refused request keeps its place until it would have been answered,
// unless refusals come by chance. Otherwise a lane would refill the places of quick refusals at
// once, only to be refused again.
//
// # Breaker
//
// Eight failures with no success between them open the breaker. They must be in a row in the order
// of coming back and, mostly, in the order of sending. A refusal counts as a failure if it says
// that the provider is overloaded, but not for how long. Then probes go out, a tenth of the outage
// apart, 0.75 s at first and a minute at most, so that no more than a tenth of the outage is lost
// after its end. A second probe goes out when the first has not failed in the time that failures
// take. Two successes close the breaker. The lane then goes on at half the concurrency, which
// doubles back to what it was, and at the rate that was believed before the outage began: what was
// accepted meanwhile tells none, even if the failures were refusals that held the lane, too. Settle
// returns the Streak that a failure belongs to. If that streak opened the breaker, the caller
// should give the records that failed in it their attempts back.
//
// # Budget
//
// A Budget is an amount of money, and several lanes may share one. A request's worst case is
// reserved when the request is granted, and replaced with its cost when it is settled. If nobody
// says what it cost, as after a time-out, the worst case stays. If other answers show that it was
// too low, it is raised, room or not ([Permit.Raise]). A request that does not fit waits for
// settlements. If it does not fit and nothing is reserved that could make room, waiting ends for
// good, with an *OverBudget.
//
// Money may also be held for other work, such as batches ([Hold]). It is released like a
// reservation ([Release]). If the work goes on without this process, the money stays set aside, but
// nothing waits for it ([Leave]).
//
// A budget that other processes use too is lent in parts, through a [Lease]. A request that exceeds
// this process's part waits until more is lent, or until something in flight here is settled. There
// is no room only once the lease says that no more will be lent. What others have spent counts for
// the colours.
//
// # Giving up
//
// Waiting ends for good, with a *GaveUp, if there was pressure and no other answer for
// Config.GiveUp, if the breaker was open for as long, or as soon as the provider asks for a longer
// wait than that. The limiter gives up only while nothing may be sent, or when an answer comes: a
// lane that was idle for hours is tried first.
package limiter
