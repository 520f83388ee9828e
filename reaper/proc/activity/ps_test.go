package activity

import (
	"maps"
	"testing"
	"time"
)

func TestParsePS(t *testing.T) {
	t.Parallel()
	const out = "    1  12345   1:23.45\n  501   1024 12:00:01\n99999 8 2-03:04:05\n\n7 8\nx 1 0:00.01\n8 -1 nonsense\n9 1 1:2:3:4\n"
	want := map[int]usage{
		1:     {cpu: time.Minute + 23450*time.Millisecond, resident: 12345 << 10},
		501:   {cpu: 12*time.Hour + time.Second, resident: 1 << 20},
		99999: {cpu: 51*time.Hour + 4*time.Minute + 5*time.Second, resident: 8 << 10},
	}
	if got := parsePS(out); !maps.Equal(got, want) {
		t.Errorf("parsePS() = %+v, want %+v", got, want)
	}
}
