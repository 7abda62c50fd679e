// Package lease defines what limiters of several processes say to each other about the quota that
// they share. They do so through a store: each of them sends it an [Ask], and gets a [Grant].
//
// For each resource that is limited, the store keeps the moment up to which it has been given out.
// The next lease begins there, so all leases together are one bucket, by the store's clock. They
// never come to more than the limit times the time, whichever workers come and go. A lease is for
// at most [Slice] ahead. What is free is given out by start-time fair queuing (Goyal, Vin and
// Cheng, 1996): a worker that could use more gets no more than its fair part beyond the worker that
// got the least. What one worker does not ask for goes to the others at once. What a worker that
// died has asked for goes to them when its lease ends.
package lease

import "time"

const (
	// Slice is how far ahead of its use quota is given out, and so how much is lost with a worker that
	// dies.
	Slice = 250 * time.Millisecond

	// Renew is how often a worker asks while it has something to send: often enough for the next
	// lease to begin where the one before ends.
	Renew = 200 * time.Millisecond

	// Rest is how often it asks while it has not, so that the others know that it lives.
	Rest = time.Second

	// Away is how long the store gives no answer before it counts as away.
	Away = 2 * Slice

	// Missing is how long a worker does not ask before it counts as gone. A lane that nobody asks
	// about for that long is forgotten.
	Missing = 2500 * time.Millisecond

	// Sweep is how old what the store knows of all workers together may be.
	Sweep = 100 * time.Millisecond

	// Unused is how much of what nobody asked for may still be given out: a tenth of a second's worth,
	// if that is a request or more.
	Unused = 100 * time.Millisecond
)

// The resources, as indices.
const (
	Requests = iota
	Tokens   // prompt and completion together
	Input    // apart
	Output
	Resources
)

// Amounts are one number for each resource.
type Amounts [Resources]float64

// An Ask is what a worker says, and what it asks for.
type Ask struct {
	// Busy says that the worker has something to send.
	Busy bool
	// Bounds are the limits that the worker was told, a second, less what is to be left unused; 0 if
	// nobody told. The lowest bound of all workers holds.
	Bounds Amounts
	// Want is what the worker could use until a slice from now, beyond what it has.
	Want Amounts
	// Least is how much of Want is of any use: what one request lacks.
	Least Amounts
	// Seen is what became of requests since the last ask.
	Seen Tally
	// InFlight is how many requests are out that the provider has accepted.
	InFlight float64
	// Leads says that the last grant made this worker the leader, and Found is what it believes.
	Leads bool
	Found Found
	// Shut is for how long nothing is to be sent, except by this worker, which sends probes to see
	// whether that is over; zero if the lane is open.
	Shut Shut
}

// A Grant is the answer. Its times count from when it was given.
type Grant struct {
	// Limits are those in force for all workers together, a second; 0 for none.
	Limits  Amounts
	Parcels [Resources]Parcel
	// Workers is how many there are, this one among them.
	Workers int
	// Leads says that this worker is to find out, for all workers, the limits that nobody tells. Seen
	// is then what became of the requests of all workers since it asked last. Found is what is
	// believed so far.
	Leads bool
	Seen  Tally
	Found Found
	// InFlight is how many requests of all workers are out.
	InFlight float64
	// Shut is for how long another worker has shut the lane.
	Shut Shut
}

// A Parcel is an amount of one resource. First of it may be used when From has passed; the rest
// becomes usable evenly until To.
type Parcel struct {
	Amount, First float64
	From, To      time.Duration
}

// A Tally counts requests by what became of them.
type Tally struct {
	Accepted, Refused, Failed float64
	// Held is how many of them waited for nothing but a limit that was found.
	Held float64
	// Tokens are those of the accepted ones, and Lost those of the others.
	Tokens, Lost float64
}

// Add adds o.
func (t *Tally) Add(o Tally) {
	t.Accepted += o.Accepted
	t.Refused += o.Refused
	t.Failed += o.Failed
	t.Held += o.Held
	t.Tokens += o.Tokens
	t.Lost += o.Lost
}

// Found holds limits a second that nobody told and that trials have shown; 0 for none.
type Found struct{ Requests, Tokens float64 }

// Shut is a time in which nothing is sent. Outage says that the reason is that the provider fails
// everything.
type Shut struct {
	For    time.Duration
	Outage bool
}
