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

// nameHosts gives every lane its own name, so that results, ledgers and reports tell them apart:
// the configured name, or else the provider's host. From the second lane at a host on, the lane's
// position among all lanes is added. The first lane is always named after its host, which
// identifies its batches.
func nameHosts(hosts []*flow.Host, configs []Target) error {
	taken := make(map[string]bool)
	for i, h := range hosts {
		if h.Name = configs[i].Name; i == 0 {
			h.Name = h.Client.Name()
		}
		if h.Name != "" && taken[h.Name] {
			return ui.Usage(fmt.Errorf("two providers are called %q: give each its own name (name=…), or none", h.Name))
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
