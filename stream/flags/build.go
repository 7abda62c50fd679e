package flags

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// Build is what the Go command recorded when it built the program.
type Build struct {
	Version string // the module's version: a tag, a version made from a commit, or (devel)
	Commit  string // "" if it was not built from a clone, as with go run
	Day     string // the day of the commit in UTC: 2006-01-02
	Dirty   bool   // what was built differs from the commit
}

// ReadBuild reads the Build of the running program.
func ReadBuild() Build {
	b := Build{Version: "(devel)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Day, _, _ = strings.Cut(s.Value, "T")
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	return b
}

// String returns what llmpipe version prints.
func (b Build) String() string {
	var parts []string
	if b.Commit != "" {
		commit := "commit " + b.Commit[:min(12, len(b.Commit))]
		if b.Dirty {
			commit += " and changes"
		}
		parts = append(parts, commit+" of "+b.Day)
	}
	parts = append(parts, runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	return "llmpipe " + b.Version + " (" + strings.Join(parts, ", ") + ")"
}
