package lane

import "testing"

func TestConnectionsWithin(t *testing.T) {
	for _, c := range []struct{ most, open, want int }{
		{1024, 10, 982}, // all but the spare ones
		{256, 12, 212},
		{64, 12, 26}, // half, where they are few
		{16, 8, 4},
		{8, 7, 1}, // one must be tried
		{8, 12, 1},
	} {
		if got := connectionsWithin(c.most, c.open); got != c.want {
			t.Errorf("%d of %d open: %d connections, want %d", c.open, c.most, got, c.want)
		}
	}
}
