package lane

import (
	"errors"
	"io"
	"slices"
	"testing"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

func TestNamesOfLanes(t *testing.T) {
	const local, other = "http://localhost:8000/v1", "http://localhost:8001/v1"
	for _, test := range []struct {
		lanes [][2]string // a base URL and a name
		want  []string    // nil: refused
	}{
		{[][2]string{{local, ""}}, []string{"localhost:8000"}},
		{[][2]string{{local, ""}, {other, ""}}, []string{"localhost:8000", "localhost:8001"}},
		{[][2]string{{local, ""}, {local, ""}, {other, ""}, {local, ""}, {other, ""}},
			[]string{"localhost:8000", "localhost:8000#2", "localhost:8001", "localhost:8000#4", "localhost:8001#5"}},
		{[][2]string{{local, ""}, {local, "spare"}}, []string{"localhost:8000", "spare"}},
		{[][2]string{{local, ""}, {local, ""}, {other, "localhost:8000#2"}},
			[]string{"localhost:8000", "localhost:8000#3", "localhost:8000#2"}},
		{[][2]string{{local, ""}, {other, "localhost:8000"}}, nil},
		{[][2]string{{local, ""}, {local, "a"}, {other, "a"}}, nil},
	} {
		var configs []Target
		for _, l := range test.lanes {
			configs = append(configs, Target{Name: l[1], Provider: provider.Config{BaseURL: l[0], Connections: 1}})
		}
		hosts, err := OpenHosts(ui.NewVoice(io.Discard, true, false), configs)
		if usage := (*ui.UsageError)(nil); test.want == nil {
			if !errors.As(err, &usage) {
				t.Errorf("%v: %v", test.lanes, err)
			}
			continue
		}
		var names []string
		for _, h := range hosts {
			names = append(names, h.Name)
		}
		if err != nil || !slices.Equal(names, test.want) {
			t.Errorf("%v are called %q, want %q: %v", test.lanes, names, test.want, err)
		}
	}
}
