package provider

import "testing"

func TestShown(t *testing.T) {
	for address, want := range map[string]string{
		"https://api.example.com/v1":                       "https://api.example.com/v1",
		"https://api.example.com/v1?key=secret":            "https://api.example.com/v1?…",
		"htps://user:secret@api.example.com/v1?key=secret": "htps://…@api.example.com/v1?…",
		"https://user:sec/r@et@api.example.com/v1":         "https://…@api.example.com/v1",
		"user:secret@host/v1#secret":                       "…@host/v1?…",
		"/login?token=secret":                              "/login?…",
		"//host/login":                                     "//host/login",
		"sim:?latency=1ms":                                 "sim:?latency=1ms",
		"":                                                 "",
	} {
		if got := Shown(address); got != want {
			t.Errorf("%q is shown as %q, want %q", address, got, want)
		}
	}
}
