package agent

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPiGoesOn: a session that is gone on with has the prompt of the system in its
// beginning only, which is not read, and a server may count no tokens.
func TestPiGoesOn(t *testing.T) {
	t.Parallel()
	message := func(at, fields string) string {
		return `{"type":"message","id":"a","timestamp":"` + at + `","message":{` + fields + "}}\n"
	}
	const uncounted = `"role":"assistant","content":[{"type":"text","text":"All done here."}],"usage":{"totalTokens":0},"stopReason":"stop"`
	const before, after = "2026-11-21T11:00:00Z", "2026-11-21T12:00:02Z"
	first := `{"type":"session","version":3,"id":"s","timestamp":"` + before + `"}` + "\n" + message(before, `"role":"system","content":""`) +
		message(before, `"role":"user"`) + message(before, uncounted+`,"rawStopReason":"stop"`)
	asked := message(after, `"role":"user"`)
	long := message(after, `"role":"toolResult","content":"`+strings.Repeat("x", 60_000)+`"`)
	for _, c := range []struct {
		name, record string
		want         Turn
	}{
		{"whole", first + asked + message(after, uncounted+`,"rawStopReason":"stop"`), TurnCompleted},
		{"asked", first + asked, TurnOpen},
		{"broke off, of an older version", first + asked + message(after, uncounted), TurnFailed},
		{"long", strings.ReplaceAll(first, before, after) + strings.Repeat(long, 1+tailMost/len(long)) + message(after, uncounted+`,"rawStopReason":"stop"`), TurnCompleted},
	} {
		h := newHome(t)
		h.write("s.jsonl", c.record, time.Minute)
		if s := pi().ReadRecord(Record{Path: filepath.Join(h.Home, "s.jsonl")}, h.since); s.Turn != c.want {
			t.Errorf("%s: %+v, want %q", c.name, s, c.want)
		}
	}
}
