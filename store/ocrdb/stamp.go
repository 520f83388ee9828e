package ocrdb

import (
	"strings"
	"time"
)

// isoMillis is how the product's JavaScript writes an instant. It is the only
// one of its two shapes that JavaScript reads back as UTC.
const isoMillis = "2006-01-02T15:04:05.000Z"

// stamp writes a wall-clock instant (UTC milliseconds) as the product does.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(isoMillis) }

// Millis reads an instant in either of the product's two shapes, SQLite's
// "2006-01-02 15:04:05" and JavaScript's "2006-01-02T15:04:05.000Z", both UTC,
// as wall-clock milliseconds. Anything else, and an empty text, is not ok.
func Millis(s string) (ms int64, ok bool) {
	s = strings.TrimSpace(s)
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// millis is Millis with 0 for what cannot be read.
func millis(s string) int64 {
	ms, _ := Millis(s)
	return ms
}
