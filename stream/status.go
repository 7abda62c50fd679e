package stream

import "fmt"

// status is the run at this moment, in one line.
func (r *run) status() string {
	s, p := r.summary(), r.router.current().pace.Stats()
	line := fmt.Sprintf("%s; in flight %d/%d, waiting to retry %d", s, p.InFlight, p.Allowed, r.sleepers.len())
	if p.RPMLimit > 0 {
		line += fmt.Sprintf(", rpm %d/%d", p.RPMUsed, p.RPMLimit)
	}
	if p.TPMLimit > 0 {
		line += fmt.Sprintf(", tpm %d/%d", p.TPMUsed, p.TPMLimit)
	}
	return line
}
