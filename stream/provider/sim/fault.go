package sim

import "time"

// faultKind is what goes wrong with one request. Its text is its name in Stats.
type faultKind string

const (
	noFault  faultKind = ""
	fail     faultKind = "fail"
	reset    faultKind = "reset"
	garbage  faultKind = "garbage"
	hang     faultKind = "hang"
	pressure faultKind = "pressure"
	empty    faultKind = "empty"
	truncate faultKind = "truncate"
)

// Salts keep the choices made for one arrival apart.
const (
	saltFault   = 0x6661756c74
	saltLatency = 0x6c6174656e6379
)

// fault chooses what happens to the request that arrived as number arrival.
func (o *Options) fault(arrival uint64) faultKind {
	u := unit(mix(o.Seed^saltFault, arrival))
	for _, f := range [...]struct {
		fault faultKind
		share float64
	}{
		{fail, o.Fail}, {reset, o.Reset}, {garbage, o.Garbage}, {hang, o.Hang},
		{pressure, o.Pressure}, {empty, o.Empty}, {truncate, o.Truncate},
	} {
		if u < f.share {
			return f.fault
		}
		u -= f.share
	}
	return noFault
}

// latency is the time that the request which arrived as number arrival takes,
// with inFlight requests under way, itself included.
func (o *Options) latency(arrival uint64, inFlight int) time.Duration {
	if o.Latency <= 0 {
		return 0
	}
	u := unit(mix(o.Seed^saltLatency, arrival))
	d := float64(o.Latency) * (1 + o.Jitter*(2*u-1))
	if o.Slow > 0 && inFlight > o.Slow {
		d *= float64(inFlight) / float64(o.Slow)
	}
	return time.Duration(d)
}
