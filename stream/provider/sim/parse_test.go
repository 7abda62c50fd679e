package sim

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseSimOptions(t *testing.T) {
	tests := []struct {
		query string
		want  Options
	}{
		{"", Options{Latency: 50 * time.Millisecond, BatchLatency: 200 * time.Millisecond}},
		{"latency=0&batch-latency=0", Options{}},
		{"latency=0&batch-latency=0&rpm=500", Options{RPM: 500, Headers: true}},
		{"latency=0&batch-latency=0&headers=false&tpm=500", Options{TPM: 500}},
		{"latency=400ms..4s/45s&batch-latency=0&stragglers=0.02&straggler-latency=10s", Options{
			Latency: 400 * time.Millisecond, LatencyDrift: Drift{4 * time.Second, 45 * time.Second},
			Stragglers: 0.02, StragglerLatency: 10 * time.Second}},
		{"latency=0&batch-latency=0&threads=6&odd=1000&down=3s/10s", Options{
			Threads: 6, Odd: 1000, LinkDown: 3 * time.Second, LinkUp: 10 * time.Second}},
		{"latency=0&batch-latency=0&retry-after=none", Options{RetryAfter: NoRetryAfter}},
		{"latency=0&batch-latency=0&headers=false&rpm=6000,1800,60/10s&tpm=600+300/s", Options{
			RPM: 6000, RPMChange: Change{Every: 10 * time.Second, Turns: []int{1800, 60}},
			TPM: 600, TPMChange: Change{Every: time.Second, Rise: 300}}},
		{"latency=0&batch-latency=0&headers=false&rpm=600%2B300/1m30s&window=10s&sliding", Options{
			RPM: 600, RPMChange: Change{Every: 90 * time.Second, Rise: 300}, Window: 10 * time.Second, Sliding: true}},
		{"latency=0&batch-latency=0&headers", Options{Headers: true}},
		{"latency=0&batch-latency=0&outage=0s-1s&outage=2s-1m", Options{Outage: []Window{{0, time.Second}, {2 * time.Second, time.Minute}}}},
		{"latency=0&batch-latency=0&models=a,b&models=org%2Fc", Options{Models: []string{"a", "b", "org/c"}}},
		{
			"latency=800ms&jitter=0.5&rpm=500&tpm=150000&burst=1s&refund=true&retry-after=2s&fail=0.02&reset=0.03&garbage=0.04" +
				"&hang=0.05&pressure=0.06&empty=0.07&truncate=0.08&lost=0.09&lost-status=500&overrun=reasoning&outage=10s-20s&inflight=40" +
				"&pressure-status=503&outage-status=500&inflight-status=529&slow=50&quota=9&output=30&key=k&models=m&pretty&seed=7" +
				"&batch-latency=1m&batch-window=2m&batch-expire=0.5&batch-expire-first=1&batch-fail=0.25&batch-tokens=1000&batch-lost=2" +
				"&file-lost=3&file-delay=4s",
			Options{
				Latency: 800 * time.Millisecond, Jitter: 0.5, RPM: 500, TPM: 150000, Burst: time.Second, Headers: true,
				RefundOutput: true, RetryAfter: 2 * time.Second, Fail: 0.02, Reset: 0.03, Garbage: 0.04, Hang: 0.05,
				Pressure: 0.06, Empty: 0.07, Truncate: 0.08, Lost: 0.09, LostStatus: 500, Overrun: OverrunReasoning,
				Outage:         []Window{{10 * time.Second, 20 * time.Second}},
				PressureStatus: 503, OutageStatus: 500, InFlightStatus: 529,
				MaxInFlight: 40, Slow: 50, Quota: 9, Output: 30, Key: "k", Models: []string{"m"}, Pretty: true, Seed: 7,
				BatchLatency: time.Minute, BatchWindow: 2 * time.Minute, BatchExpire: 0.5, BatchExpireFirst: 1, BatchFail: 0.25,
				BatchTokens: 1000, BatchLost: 2, FileLost: 3, FileDelay: 4 * time.Second,
			},
		},
	}
	for _, test := range tests {
		got, err := ParseOptions(test.query)
		if err != nil {
			t.Errorf("%q: %v", test.query, err)
		} else if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q:\n got %+v\nwant %+v", test.query, got, test.want)
		}
	}
}

// Every field can be set from a query, so that none is out of a person's reach.
func TestParseSimOptionsReachesEveryField(t *testing.T) {
	values := map[string]string{
		"latency": "1s..2s/3s", "jitter": "0.1", "rpm": "6,3/1s", "tpm": "6+3/s", "itpm": "1", "otpm": "1", "burst": "1s",
		"headers": "true", "refund": "true",
		"retry-after": "1s",
		"fail":        "0.1", "reset": "0.1", "garbage": "0.1", "hang": "0.1", "pressure": "0.1", "empty": "0.1", "truncate": "0.1",
		"misfit": "0.1", "lost": "0.1", "lost-status": "502", "overrun": "all", "bill": "xai",
		"outage": "1s-2s", "inflight": "1", "slow": "1", "quota": "1", "output": "1", "key": "k", "models": "m", "pretty": "true", "seed": "1",
		"batch-latency": "1s", "batch-window": "1s", "batch-expire": "0.1", "batch-expire-first": "1", "batch-fail": "0.1", "batch-tokens": "1",
		"batch-lost": "1", "batch-foreign": "300", "batch-max": "30", "file-lost": "1", "file-max": "1000", "file-delay": "1s",
		"pressure-status": "429", "outage-status": "503", "inflight-status": "500",
		"stragglers": "0.1", "straggler-latency": "1s", "dialect": "azure",
		"threads": "6", "odd": "1000", "down": "3s/10s",
		"window": "1s", "sliding": "true&window=1s",
	}
	defaults, err := ParseOptions("")
	if err != nil {
		t.Fatal(err)
	}
	reached := map[string]bool{}
	for _, option := range options {
		o, err := ParseOptions(option.name + "=" + values[option.name])
		if err != nil {
			t.Fatal(err)
		}
		for field, value := range reflect.ValueOf(o).Fields() {
			if !reflect.DeepEqual(value.Interface(), reflect.ValueOf(defaults).FieldByName(field.Name).Interface()) {
				reached[field.Name] = true
			}
		}
	}
	for field := range reflect.TypeFor[Options]().Fields() {
		if !reached[field.Name] {
			t.Errorf("no option sets %s", field.Name)
		}
	}
}

func TestParseSimOptionsErrors(t *testing.T) {
	for query, want := range map[string]string{
		"speed=9":                     `unknown option "speed"`,
		"latency=800":                 "latency=800: want a time like 800ms",
		"latency=-1s":                 "latency=-1s: want a time",
		"latency=1s..2s":              "latency=1s..2s: want a time like 800ms or 1m30s, or a drift like 400ms..4s/45s",
		"latency=1s/2s":               "or a drift",
		"latency=1s..-2s/3s":          "or a drift",
		"latency=1s..2s/0s":           "or a drift",
		"jitter=1.5":                  "jitter=1.5: want a number from 0 to 1",
		"fail=NaN":                    "fail=NaN: want a number from 0 to 1",
		"rpm=-1":                      "rpm=-1: want a whole number",
		"rpm=1e3":                     "rpm=1e3: want a whole number",
		"burst=0s":                    "burst=0s: want a time above 0",
		"burst=2m":                    "burst=2m: want a time above 0 and up to 1m",
		"retry-after=soon":            "retry-after=soon: want a time like 800ms or 1m30s, or none",
		"pressure-status=418":         "pressure-status=418: want one of 429, 500, 503, 529",
		"rpm=6000/10s":                "rpm=6000/10s: want a limit a minute, limits in turn like 6000,1800/10s, or a rising limit like 600+300/s",
		"rpm=6000,1800":               "rpm=6000,1800: want a whole number",
		"rpm=6000,0/10s":              "want a limit a minute, limits in turn",
		"rpm=6000,1800/0s":            "want a limit a minute, limits in turn",
		"rpm=6000,1800/":              "want a limit a minute, limits in turn",
		"tpm=6+5,4/s":                 "want a limit a minute, limits in turn",
		"tpm=6%2B/s":                  "want a limit a minute, limits in turn",
		"window=1m&burst=1s":          "a window has no burst",
		"window=1m&refund":            "a window refunds nothing",
		"rpm=60&sliding":              "sliding needs a window",
		"down=3s":                     "down=3s: want the time down and the time up, like 3s/10s",
		"down=0s/3s":                  "want the time down and the time up",
		"odd=-1":                      "odd=-1: want a whole number",
		"pretty=maybe":                "pretty=maybe: want true or false",
		"outage=10s":                  "outage=10s: want a start and a later end, like 10s-20s",
		"outage=20s-10s":              "outage=20s-10s: want a start and a later end",
		"models=a,,b":                 "models=a,,b: want the names of models",
		"seed=x":                      "seed=x: want a whole number",
		"rpm=1&rpm=2":                 "rpm is given 2 times",
		"fail=0.5&reset=0.4&hang=0.2": "the shares of failing requests add up to 1.1",
		"latency=%zz":                 "invalid URL escape",
	} {
		_, err := ParseOptions(query)
		if err == nil {
			t.Errorf("%q: no error", query)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q does not say %q", query, err, want)
		}
	}
}
