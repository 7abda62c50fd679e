package sim

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
	lost     faultKind = "lost"
	odd      faultKind = "odd"
	down     faultKind = "down" // the link is down; not chosen for one request
)

// saltFault makes this choice independent of the other choices for an arrival, as the other salts
// do.
const saltFault = 0x6661756c74

// fault chooses what happens to request number arrival.
func (o *Options) fault(arrival uint64) faultKind {
	if o.Odd > 0 && arrival%uint64(o.Odd) == 0 {
		return odd
	}
	u := unit(mix(o.Seed^saltFault, arrival))
	for _, f := range [...]struct {
		fault faultKind
		share float64
	}{
		{fail, o.Fail}, {reset, o.Reset}, {garbage, o.Garbage}, {hang, o.Hang},
		{pressure, o.Pressure}, {empty, o.Empty}, {truncate, o.Truncate}, {lost, o.Lost},
	} {
		if u < f.share {
			return f.fault
		}
		u -= f.share
	}
	return noFault
}
