package agent

import (
	"strings"
	"testing"
)

// What Gemini CLI takes back of a turn that failed may be all there was of the session.
func TestGeminiKeepsNothingToGoOnWith(t *testing.T) {
	t.Parallel()
	const head = `{"sessionId":"s","kind":"main"}` + "\n"
	const context = `{"id":"a","type":"user","content":[{"text":"<session_context>\nhere"}]}`
	const asked = `{"id":"b","type":"user","content":[{"text":"hi"}]}`
	const answer = `{"id":"c","type":"gemini","content":"done","tokens":{"output":3}}`
	set := func(messages ...string) string {
		return `{"$set":{"messages":[` + strings.Join(messages, ",") + `]}}` + "\n"
	}
	for name, c := range map[string]struct {
		record string
		want   bool
	}{
		"asked":                   {head + set(context) + asked + "\n", false},
		"taken back":              {head + set(context) + asked + "\n" + set(context), true},
		"asked again":             {head + set(context) + asked + "\n" + set(context) + asked + "\n", false},
		"the second taken back":   {head + set(context) + asked + "\n" + answer + "\n" + asked + "\n" + set(context, asked, answer), false},
		"a command is no message": {head + set(context, `{"id":"d","type":"user","content":"/stats"}`), true},
		"an error is none":        {head + set(`{"id":"d","type":"error","content":"no"}`), true},
		"a thought is one":        {head + set(`{"id":"d","type":"gemini","content":"","thoughts":[{}]}`), false},
	} {
		tr := &track{}
		for line := range strings.Lines(c.record) {
			geminiEntry(tr, []byte(line))
		}
		if tr.Gone != c.want {
			t.Errorf("%s: gone is %v", name, tr.Gone)
		}
	}
}
