package flags

import (
	"runtime"
	"testing"
)

func TestBuild(t *testing.T) {
	on := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	for _, tt := range []struct {
		build Build
		want  string
	}{
		{Build{Version: "(devel)"}, "llmpipe (devel) (" + on + ")"},
		{
			Build{Version: "v1.2.3", Commit: "0123456789abcdef0123", Day: "2026-11-28"},
			"llmpipe v1.2.3 (commit 0123456789ab of 2026-11-28, " + on + ")",
		},
		{
			Build{Version: "v1.2.3", Commit: "0123", Day: "2026-11-28", Dirty: true},
			"llmpipe v1.2.3 (commit 0123 and changes of 2026-11-28, " + on + ")",
		},
	} {
		if got := tt.build.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
