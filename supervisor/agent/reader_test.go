package agent

import (
	"strings"
	"testing"
)

// TestCutOff: what was cut off in the middle of a line says nothing of the turn, for
// better or worse, but that it was cut off.
func TestCutOff(t *testing.T) {
	t.Parallel()
	const cut = "the JSON output ends in the middle of a turn: it is cut off in the middle of a line"
	completed := "the JSON output says the turn completed"
	claude := `{"type":"system","subtype":"init","session_id":"s"}` + "\n"
	codex := `{"type":"thread.started","thread_id":"s"}` + "\n" + `{"type":"turn.started"}` + "\n"
	for _, c := range []struct{ name, argv, output, want string }{
		{"failure", "claude -p --output-format stream-json hi", claude + `{"type":"result","subtype":"succ`, cut},
		{"success", "claude -p --output-format stream-json hi", claude + `{"type":"result","subtype":"success","is_error":false,"result":"I have`, cut},
		{"no newline", "claude -p --output-format stream-json hi", claude + `{"type":"result","subtype":"success","is_error":false,"result":"Done."}`, completed},
		{"a document", "claude -p --output-format json hi", `{"type":"result","subtype":"success","is_error":false,"res`, cut},
		{"before its trouble", "codex exec --json hi", codex + `{"type":"turn.failed","error":{"message":"stream dis`, cut},
		{
			"after its trouble", "codex exec --json hi", codex + `{"type":"error","message":"Reconnecting... 1/5"}` + "\n" + `{"type":"turn.fai`,
			"the JSON output ends while the agent was trying again: Reconnecting... 1/5; it is cut off in the middle of a line",
		},
		{"after the turn", "codex exec --json hi", codex + `{"type":"turn.completed","usage":{"output_tokens":1}}` + "\n" + `{"type":"not`, completed},
		{"gemini", "gemini -o stream-json -p hi", `{"type":"init","session_id":"s"}` + "\n" + `{"type":"result","status":"succ`, cut},
		{"nothing but that", "codex exec --json hi", `{"type":"thr`, cut},
	} {
		a, ok := ByCommand(strings.Fields(c.argv))
		if !ok {
			t.Fatal(c.argv)
		}
		in := a.Read(strings.Fields(c.argv), false)
		r := a.Reader(in)
		events := append(r.Feed([]byte(c.output)), r.Close()...)
		got := a.Verdict(Seen{Invocation: in, Exit: new(int), JSON: r.Standing()})
		if len(got) == 0 || got[0].Detail != c.want || (got[0].Turn == TurnCompleted) != (c.want == completed) {
			t.Errorf("%s: %+v, want %q", c.name, got, c.want)
		}
		for _, e := range events {
			if e.Type == EventTurnCompleted && c.want != completed {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
	}
}
