package activity

import (
	"testing"
	"time"
)

const sec = time.Second

// sample is one with these processes, by pid.
func sample(each map[int]usage) Sample {
	s := Sample{each: map[key]usage{}}
	for pid, u := range each {
		s.add(key{pid, 100}, u)
	}
	return s
}

func TestCompare(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name           string
		earlier, later map[int]usage
		want           Change
	}{
		{
			"one goes on",
			map[int]usage{1: {cpu: sec, read: 10, write: 20}},
			map[int]usage{1: {cpu: 3 * sec, read: 11, write: 22}},
			Change{CPU: 2 * sec, ReadBytes: 1, WriteBytes: 2},
		},
		{
			"another begins",
			map[int]usage{1: {cpu: sec}},
			map[int]usage{1: {cpu: sec}, 2: {cpu: 2 * sec, buried: 3 * sec, read: 7, write: 8}},
			Change{CPU: 5 * sec, ReadBytes: 7, WriteBytes: 8},
		},
		{
			"one ends and is buried, with what it had done before",
			map[int]usage{1: {cpu: sec, read: 5, write: 5}, 2: {cpu: 60 * sec, read: 900, write: 800}},
			map[int]usage{1: {cpu: sec, buried: 61 * sec, read: 906, write: 807}},
			Change{CPU: sec, ReadBytes: 1, WriteBytes: 2},
		},
		{
			"one ends and is buried by a stranger",
			map[int]usage{1: {cpu: sec}, 2: {cpu: 60 * sec}},
			map[int]usage{1: {cpu: 2 * sec}},
			Change{CPU: sec},
		},
		{
			"many come and go between",
			map[int]usage{1: {cpu: sec, read: 5}},
			map[int]usage{1: {cpu: sec, buried: 9 * sec, read: 500}},
			Change{CPU: 9 * sec, ReadBytes: 495},
		},
		{
			"numbers that fall",
			map[int]usage{1: {cpu: 2 * sec, read: 9, write: 9}},
			map[int]usage{1: {cpu: sec}},
			Change{},
		},
	}
	for _, c := range cases {
		c.want.Over = 10 * sec
		if got := Compare(sample(c.earlier), sample(c.later), 10*sec); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// The same pid with another start is another process.
func TestCompareKnowsStrangers(t *testing.T) {
	t.Parallel()
	earlier := sample(map[int]usage{1: {cpu: 60 * sec}})
	later := Sample{each: map[key]usage{}}
	later.add(key{1, 200}, usage{cpu: 2 * sec})
	if got := Compare(earlier, later, sec); got.CPU != 2*sec {
		t.Errorf("Compare() = %+v", got)
	}
}

func TestCompareNeedsTwo(t *testing.T) {
	t.Parallel()
	s := sample(map[int]usage{1: {cpu: sec}})
	for _, got := range []Change{Compare(Sample{}, s, sec), Compare(s, Sample{}, sec), Compare(s, s, 0), Compare(s, s, -sec)} {
		if got != (Change{}) || got.Doing(0) != Unknown || got.CPUShare() != 0 {
			t.Errorf("Compare() = %+v", got)
		}
	}
}

func TestSampleCountsOnce(t *testing.T) {
	t.Parallel()
	s := sample(map[int]usage{1: {cpu: sec, buried: sec, read: 3, write: 4, resident: 5, hidden: true}})
	s.add(key{1, 100}, usage{cpu: sec})
	if s.CPU != 2*sec || s.ReadBytes != 3 || s.WriteBytes != 4 || s.Resident != 5 || s.Processes != 1 || s.Unreadable != 1 {
		t.Errorf("sample: %+v", s)
	}
}

func TestDoing(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		c     Change
		drawn int64
		want  Doing
	}{
		{"nothing", Change{Over: 10 * sec}, 0, Idle},
		{"a spinner", Change{Over: 10 * sec, CPU: 2 * sec, WriteBytes: 300_000}, 0, Idle},
		{"a terminal full of colours", Change{Over: 10 * sec, CPU: 2 * sec, WriteBytes: 9_000_000}, 9_000_000, Idle},
		{"a compiler", Change{Over: 10 * sec, CPU: 19 * sec, WriteBytes: 300_000}, 0, CPU},
		{"a copy", Change{Over: 10 * sec, CPU: sec, WriteBytes: 9_000_000}, 1000, IO},
		{"a search", Change{Over: 10 * sec, CPU: 9 * sec, ReadBytes: 9_000_000}, 0, Both},
		{"more drawn than written", Change{Over: 10 * sec, WriteBytes: 10}, 9_000_000, Idle},
		{"no time", Change{CPU: sec}, 0, Unknown},
	}
	for _, c := range cases {
		if got := c.c.Doing(c.drawn); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEveryDoingHasAWord(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for d := Unknown; d <= Both; d++ {
		seen[d.String()] = true
	}
	if len(seen) != int(Both)+1 || seen[""] {
		t.Errorf("words: %v", seen)
	}
}
