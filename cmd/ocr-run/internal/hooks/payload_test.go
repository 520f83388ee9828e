package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// read gives the events of payloads as "TYPE [@SESSION] [TURN] [=STATE] [DETAIL]",
// with sessions and turns by the order they appear in.
func read(agent string, payloads, command []string) (out []string) {
	names := map[string]string{}
	name := func(prefix, id string) string {
		if id != "" && names[id] == "" {
			names[id] = prefix + fmt.Sprint(len(names)+1)
		}
		return names[id]
	}
	for _, p := range payloads {
		for _, e := range Events(agent, []byte(p), command) {
			words := []string{e.Type}
			for _, w := range []string{name("@", e.Session), name("t", e.Turn), strings.TrimSuffix("="+e.State, "="), e.Detail} {
				if w != "" {
					words = append(words, w)
				}
			}
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}

// TestRecordedPayloads reads what the agents themselves sent: Claude Code 2.1,
// Codex 0.169, Gemini CLI 0.61, OpenCode 1.18, pi 0.73 and Qwen Code 0.15.
func TestRecordedPayloads(t *testing.T) {
	t.Parallel()
	failedTry := []string{"turn.requested @1", "turn.started @1", "turn.completed @1 =failed terminated"}
	for file, want := range map[string][]string{
		"claude_completed":   {"session.started @1", "turn.requested @1", "turn.started @1", "turn.completed @1", "session.exited @1"},
		"claude_failed":      {"session.started @1", "turn.requested @1", "turn.started @1", "turn.completed @1 =failed server_error", "session.exited @1"},
		"codex_completed":    {"session.started @1", "turn.requested @1 t2", "turn.started @1 t2", "turn.completed @1 t2", "session.exited @1"},
		"gemini_completed":   {"session.started @1", "turn.requested @1", "turn.started @1", "turn.completed @1", "session.exited @1"},
		"qwen_completed":     {"turn.requested @1", "turn.started @1", "turn.completed @1"},
		"pi_failed":          slices.Concat([]string{"session.started @1"}, failedTry, failedTry, failedTry, failedTry, []string{"session.exited @1"}),
		"opencode_truncated": {"session.started @1", "turn.started @1", "turn.completed @1 =failed the answer was cut off", "turn.completed @1 =failed the answer was cut off", "turn.completed @1", "turn.completed @1"},
		"opencode_failed": {
			"session.started @1", "turn.started @1", "turn.started @1", "turn.started @1", "turn.started @1", "turn.started @1", "turn.started @1",
			"runtime.error @1 Connection reset by server", "turn.completed @1", "turn.completed @1", "turn.completed @1",
		},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		agent, _, _ := strings.Cut(file, "_")
		if got := read(agent, strings.Split(string(text), "\n"), []string{"npx", "gemini", "-p", "x"}); !slices.Equal(got, want) {
			t.Errorf("%s is read as %q\nwant %q", file, got, want)
		}
	}
}

func TestDocumentedPayloads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ agent, payload, want string }{
		{"claude", `{"hook_event_name":"Notification","session_id":"s","notification_type":"idle_prompt"}`, "turn.aborted @1"},
		{"claude", `{"hook_event_name":"Notification","session_id":"s","notification_type":"permission_prompt"}`, "session.state.changed @1 =waiting"},
		{"claude", `{"hook_event_name":"Notification","session_id":"s","notification_type":"auth_success"}`, ""},
		{"claude", `{"hook_event_name":"StopFailure","session_id":"s","error":"rate_limit","error_details":{"status":429}}`, `turn.completed @1 =failed rate_limit: {"status":429}`},
		{"claude", `{"hook_event_name":"Stop","session_id":"s","agent_id":"a1"}`, ""},
		{"claude", `{"hook_event_name":"SubagentStop","session_id":"s"}`, ""},
		{"codex", `{"hook_event_name":"Interrupt","session_id":"s","turn_id":"t"}`, "turn.aborted @1 t2"},
		{"codex", `{"type":"agent-turn-complete","thread-id":"s","turn-id":"t","input-messages":["x"],"last-assistant-message":"y"}`, "turn.completed @1 t2"},
		{"codex", `{"type":"agent-turn-complete"}`, ""},
		{"opencode", `{"type":"session.created","properties":{"info":{"id":"c","parentID":"s"}}}`, ""},
		{"opencode", `{"type":"session.status","properties":{"sessionID":"s","status":{"type":"idle"}}}`, "turn.completed @1"},
		{"opencode", `{"type":"session.error","properties":{"sessionID":"s","error":{"name":"MessageAbortedError","data":{}}}}`, "turn.aborted @1"},
		{"opencode", `{"type":"session.error","properties":{"sessionID":"s","error":{"name":"ProviderAuthError"}}}`, "runtime.error @1 ProviderAuthError"},
		{"opencode", `{"type":"message.updated","properties":{"sessionID":"s","info":{"id":"m","finish":"stop"}}}`, ""},
		{"pi", `{"type":"session","id":"s"}`, "session.started @1"},
		{"pi", `{"type":"agent_end","messages":[{"role":"assistant","stopReason":"error"},{"role":"user"},{"role":"assistant","stopReason":"stop"}]}`, "turn.completed"},
		{"pi", `{"type":"agent_end","messages":[{"role":"assistant","stopReason":"aborted"}]}`, "turn.aborted"},
		{"pi", `{"type":"agent_end","messages":[{"role":"assistant","stopReason":"length"}]}`, "turn.completed =failed"},
		{"pi", `{"type":"agent_end","messages":[]}`, "turn.completed =failed"},
		{"qwen", `{"hook_event_name":"StopFailure","session_id":"s"}`, "turn.completed @1 =failed"},
		{"nobody", `{"hook_event_name":"Stop"}`, ""},
	} {
		if got := strings.Join(read(tt.agent, []string{tt.payload}, nil), ","); got != tt.want {
			t.Errorf("%s %s is read as %q, want %q", tt.agent, tt.payload, got, tt.want)
		}
	}
}

// On its full screen Gemini CLI tells nothing about turns that could be relied on.
func TestGeminiWithoutAPrompt(t *testing.T) {
	t.Parallel()
	payload := []string{`{"hook_event_name":"AfterAgent","session_id":"s"}`}
	for command, headless := range map[string]bool{
		"gemini": false, "": false, "gemini chat": false, "gemini -p x": true, "/opt/gemini --prompt=x": true,
		"node gemini --yolo --prompt x": true, "mkdir -p gemini": false, "claude -p gemini": false,
	} {
		if got := len(read("gemini", payload, strings.Fields(command))) == 1; got != headless {
			t.Errorf("%q: a turn is taken in: %v", command, got)
		}
	}
}

func FuzzEvents(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f.Add(line)
		}
	}
	for _, junk := range []string{"", "null", "[]", "{", `{"messages":null}`, `{"hook_event_name":3}`, `"Stop"`} {
		f.Add(junk)
	}
	known := []string{sessionStarted, sessionState, sessionExited, turnRequested, turnStarted, turnCompleted, turnAborted, runtimeError}
	f.Fuzz(func(t *testing.T, payload string) {
		for _, agent := range Agents() {
			for _, e := range Events(agent, []byte(payload), []string{"gemini", "-p"}) {
				if !slices.Contains(known, e.Type) {
					t.Errorf("%s: %q is read as %+v", agent, payload, e)
				}
			}
		}
	})
}
