package provider

import "time"

// simFault is what goes wrong with one request. Its text is its name in SimStats.
type simFault string

const (
	simNoFault  simFault = ""
	simFail     simFault = "fail"
	simReset    simFault = "reset"
	simGarbage  simFault = "garbage"
	simHang     simFault = "hang"
	simPressure simFault = "pressure"
	simEmpty    simFault = "empty"
	simTruncate simFault = "truncate"
)

// Salts keep the choices made for one arrival apart.
const (
	simSaltFault   = 0x6661756c74
	simSaltLatency = 0x6c6174656e6379
)

// fault chooses what happens to the request that arrived as number arrival.
func (o *SimOptions) fault(arrival uint64) simFault {
	u := simUnit(simMix(o.Seed^simSaltFault, arrival))
	for _, f := range [...]struct {
		fault simFault
		share float64
	}{
		{simFail, o.Fail}, {simReset, o.Reset}, {simGarbage, o.Garbage}, {simHang, o.Hang},
		{simPressure, o.Pressure}, {simEmpty, o.Empty}, {simTruncate, o.Truncate},
	} {
		if u < f.share {
			return f.fault
		}
		u -= f.share
	}
	return simNoFault
}

// latency is the time that the request which arrived as number arrival takes,
// with inFlight requests under way, itself included.
func (o *SimOptions) latency(arrival uint64, inFlight int) time.Duration {
	if o.Latency <= 0 {
		return 0
	}
	u := simUnit(simMix(o.Seed^simSaltLatency, arrival))
	d := float64(o.Latency) * (1 + o.Jitter*(2*u-1))
	if o.Slow > 0 && inFlight > o.Slow {
		d *= float64(inFlight) / float64(o.Slow)
	}
	return time.Duration(d)
}
