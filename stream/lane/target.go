package lane

import (
	"fmt"
	"strconv"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Target is a provider that records may go to, beside the first.
type Target struct {
	// Name is the lane's name in results, ledgers and reports; empty for the provider's host.
	Name string
	// Model replaces the one that a record names; empty to leave it.
	Model    string
	Provider provider.Config
	// Beside says that records go here as well as to the target before, and not only when that is out.
	Beside bool
	Pace   limiter.Config
}

// nameHosts gives every lane a name of its own, so that results, ledgers and reports tell them
// apart: what it was told to be called, else the provider's host, which from the second lane there
// on is numbered by the lane's place among all. The first lane is always called after its host,
// which is how its batches are known.
func nameHosts(hosts []*flow.Host, configs []Target) error {
	taken := make(map[string]bool)
	for i, h := range hosts {
		if h.Name = configs[i].Name; i == 0 {
			h.Name = h.Client.Name()
		}
		if h.Name != "" && taken[h.Name] {
			return ui.Usage(fmt.Errorf("two lanes are called %q: each takes a name of its own (name=…), or none", h.Name))
		}
		taken[h.Name] = true
	}
	for i, h := range hosts {
		if h.Name != "" {
			continue
		}
		h.Name = h.Client.Name()
		for n := i + 1; taken[h.Name]; n++ {
			h.Name = h.Client.Name() + "#" + strconv.Itoa(n)
		}
		taken[h.Name] = true
	}
	return nil
}
