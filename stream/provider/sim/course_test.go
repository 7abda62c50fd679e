package sim

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// courses are a limit that stays, or takes turns, or rises.
func courses() *rapid.Generator[course] {
	return rapid.Custom(func(rt *rapid.T) course {
		c := course{limit: rapid.IntRange(1, 10_000).Draw(rt, "limit")}
		every := time.Duration(rapid.IntRange(100, 100_000).Draw(rt, "every")) * time.Millisecond
		switch rapid.SampledFrom([]string{"stays", "turns", "rises"}).Draw(rt, "change") {
		case "turns":
			c.change = Change{Every: every, Turns: rapid.SliceOfN(rapid.IntRange(1, 10_000), 1, 4).Draw(rt, "turns")}
		case "rises":
			c.change = Change{Every: every, Rise: rapid.IntRange(1, 10_000).Draw(rt, "rise")}
		}
		return c
	})
}

// What a limit comes to in a time is the sum of its parts, and that time is how long it takes.
func TestSimCourseLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := courses().Draw(rt, "course")
		moment := func(name string) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(10*time.Minute)).Draw(rt, name))
		}
		from := moment("from")
		middle := from + moment("middle")
		to := middle + moment("to")
		whole := c.granted(from, to)
		if parts := c.granted(from, middle) + c.granted(middle, to); math.Abs(whole-parts) > 1e-9*(1+whole) {
			rt.Fatalf("%v in parts, %v whole", parts, whole)
		}
		if got := c.until(from, whole); (got - (to - from)).Abs() > time.Microsecond {
			rt.Fatalf("%v takes %v, and was granted in %v", whole, got, to-from)
		}
	})
}

func TestSimCourse(t *testing.T) {
	turns := course{6000, Change{Every: 10 * time.Second, Turns: []int{1800, 60}}}
	rises := course{600, Change{Every: time.Second, Rise: 300}}
	for _, test := range []struct {
		course course
		at     time.Duration
		want   float64
	}{
		{course{limit: 7}, time.Hour, 7},
		{turns, 0, 6000}, {turns, 10*time.Second - 1, 6000}, {turns, 10 * time.Second, 1800}, {turns, 29 * time.Second, 60},
		{turns, 30 * time.Second, 6000},
		{rises, 0, 600}, {rises, 500 * time.Millisecond, 750}, {rises, 10 * time.Second, 3600},
	} {
		if got := test.course.at(test.at); got != test.want {
			t.Errorf("%+v is %v after %v, want %v", test.course, got, test.at, test.want)
		}
	}
}
