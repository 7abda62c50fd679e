package share

import (
	"errors"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		text       string
		job, shown string
		user, addr string
		tls        bool
	}{
		{text: "redis://quota/job", job: "job", shown: "redis://quota/job", addr: "quota:6379"},
		{text: "rediss://me@quota:7000/a/b", job: "a/b", shown: "rediss://quota:7000/a/b", user: "me", addr: "quota:7000", tls: true},
		{text: "valkey://[::1]:6380/123?db=2", job: "123", shown: "valkey://[::1]:6380/123", addr: "[::1]:6380"},
		{text: "redis://a/j?addr=b:7001&client_name=x", job: "j", shown: "redis://a/j", addr: "a:6379"},
	} {
		a, err := ParseAddress(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if a.Job != tt.job || a.String() != tt.shown || a.User != tt.user ||
			a.option.InitAddress[0] != tt.addr || (a.option.TLSConfig != nil) != tt.tls {
			t.Errorf("%s: job %q, shown %s, user %q, at %s, TLS %v", tt.text, a.Job, a, a.User, a.option.InitAddress, a.option.TLSConfig != nil)
		}
	}
}

func TestWrongAddress(t *testing.T) {
	for text, want := range map[string]error{
		"redis://:hush@quota/job":         ErrPassword,
		"redis://me:hush@quota/job":       ErrPassword,
		"redis://me:hu%zz@quota/job":      nil,
		"redis://quota":                   ErrNoJob,
		"redis://quota/":                  ErrNoJob,
		"http://quota/hush":               nil,
		"quota:6379/hush":                 nil,
		"redis:///hush":                   nil,
		"redis://quota/{hush}":            nil,
		"redis://quota/job?password=hush": nil,
		"redis://quota/job?db=two":        nil,
		"redis://quota/job#hush":          nil,
		"unix:///tmp/hush":                nil,
	} {
		_, err := ParseAddress(text)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error shows it: %v", text, err)
		}
	}
}
