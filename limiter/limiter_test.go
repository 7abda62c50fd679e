package limiter

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacesByTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{RPM: 60, Clock: System})
		defer l.Close()
		start := time.Now()
		for range 11 {
			p, err := l.Acquire(context.Background(), Request{PromptBytes: 10})
			if err != nil {
				t.Fatal(err)
			}
			p.Settle(Outcome{Kind: Success, FirstTry: true})
		}
		if took := time.Since(start).Round(time.Millisecond); took != 10*time.Second {
			t.Errorf("11 requests at 60 a minute took %v, want 10s", took)
		}
	})
}
