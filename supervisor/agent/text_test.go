package agent

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, agent string
		tui         bool
		tail        string
		want        string // turn cause
	}{
		{"an error at the end", "claude", false, "API Error: Connection closed mid-response", "failed disconnect"},
		{"slept", "claude", false, "Partial answer\nAPI Error: Your computer went to sleep mid-response.\n", "failed sleep"},
		{"a quotation", "claude", false, "The log says\nAPI Error: Connection closed\nand that is all.", ""},
		{"usage limit", "claude", false, "You've hit your limit · resets 3pm (Europe/Berlin)", "failed limited"},
		{"old usage limit", "claude", false, "Claude AI usage limit reached|1767225600", "failed limited"},
		{"log in", "claude", false, "Invalid API key · Please run /login", "failed auth"},
		{"refused to answer", "claude", false, "API Error: Opus 5.5's safeguards flagged this message.\n\nTry rephrasing the request in a new session.\n\nLearn more: https://x/y\n\nMessage ID: msg_1", "failed agent-error"},
		{"turns used up", "claude", false, "Error: Reached max turns (5)", "failed truncated"},
		{"retrying on screen", "claude", true, "  ⎿  API Error (Connection error.) · Retrying in 5 seconds… (attempt 3/10)", "open disconnect"},
		{"failed on screen", "claude", true, "  ⎿  API Error: Connection error.\n\n> \n  ? for shortcuts", "failed disconnect"},
		{"went on on screen", "claude", true, "  ⎿  API Error: Connection error.\n> try again\n⏺ Done, all of it.\n> ", ""},
		{"interrupted on screen", "claude", true, "  ⎿  Interrupted · What should Claude do instead?", "interrupted user"},

		{"only retried", "codex", false, "ERROR: Reconnecting... 1/5\ncodex\nDone.\ntokens used\n1,234", "completed"},
		{"killed while retrying", "codex", false, "ERROR: Reconnecting... 2/5", "open disconnect"},
		{"waiting for a network", "codex", true, "• Reconnecting... waiting for network (37s • esc to interrupt)", "open disconnect"},
		{"waiting for a network, blinking", "codex", true, "◦ Reconnecting... waiting for network (24s • esc to interrupt)\n  └ Connection failed: error sending request\n\n› Shutting down...\nDisconnected from this task. Any running work continues.", "open disconnect"},
		{"failed with a count", "codex", false, "ERROR: Incomplete response returned, reason: max_output_tokens\ntokens used\n15", "failed truncated"},
		{"usage limit", "codex", false, "ERROR: You've hit your usage limit. Try again at 3:04 PM.", "failed limited"},
		{"high demand", "codex", false, "ERROR: We’re currently experiencing high demand, which may cause temporary errors.", "failed agent-error"},
		{"banner behind an error", "codex", true, "■ stream disconnected before completion: x\n\nTo continue this session, run:\n  codex resume 01a1fcb5-8dc4", "failed disconnect"},

		{"glued to the answer", "gemini", false, "half an ans[ERROR] Model stream ended without a finish reason.", "failed disconnect"},
		{"cause before the end", "gemini", false, "Error when talking to Gemini API Full report: x TypeError: terminated\n    at x\n  [cause]: Error: read ECONNRESET\nAn unexpected critical error occurred:[object Object]", "failed disconnect"},
		{"behind half an answer", "gemini", false, "Done: Error when talking to Gemini API Full report available at: /r.json Error: Incomplete JSON segment at the end\n    at x\nAn unexpected critical error occurred:[object Object]", "failed disconnect"},
		{"unknown cause", "gemini", false, "An unexpected critical error occurred:[object Object]", "failed agent-error"},
		{"retried well", "gemini", false, "Attempt 1 failed with status 429. Retrying with backoff...\nDone, all of it.", ""},
		{"on screen", "gemini", true, "✦ I have started\n✕ [API Error: terminated]\n > ", "failed disconnect"},

		{"quoted on screen", "gemini", true, "✦ The log says half[ERROR] Model stream ended and [API Error: terminated]\n > ", ""},
		{"cut on screen", "gemini", true, "✦ I have started\nℹ ⚠️  Response truncated due to token limits.\n > ", "failed truncated"},
		{"filtered on screen", "qwen", true, "✦ I have started\nℹ ⚠️  Response stopped due to safety reasons.\n > ", "failed agent-error"},
		{"filtered above the answer", "gemini", true, " > do it\nℹ ⚠️  Response stopped due to safety reasons.\n✦ I have started\n >   Type your message or @path", "failed agent-error"},
		{"asked again", "gemini", true, "ℹ ⚠️  Response stopped due to safety reasons.\n✦ I have\n > do it so\n✦ Done.\n >   Type your message", ""},
		{"cancelled on screen", "qwen", true, "◆︎ I have started\n●︎ Request cancelled.\n*   Type your message", "interrupted user"},
		{"still at work", "pi", true, "I have started\n── ⠋ Working ─────────\n/quit", "open"},
		{"ended at work", "pi", true, "I have started\n── ⠋ Working (escape to interrupt) ─────────\n", "open"},
		{"without a mark", "pi", false, "half an answer\nStream ended without finish_reason", "failed disconnect"},
		{"refused", "pi", false, `401: {"code":"unauthorized","message":"mock error"}`, "failed auth"},
		{"limited", "pi", false, `429: {"code":"usage_limit_reached","message":"The usage limit has been reached."}`, "failed limited"},
		{"behind a proxy", "pi", false, "502 <html> <head><title>Bad Gateway</title></head>", "failed disconnect"},
		{"a body", "pi", false, `401 {"type":"error","error":{"message":"x"}}`, "failed auth"},
		{"limited, in words", "pi", false, "429 Rate limit reached for requests", "failed limited"},
		{"of a server", "pi", false, "503 Service Unavailable", "failed agent-error"},
		{"without a body", "pi", false, "404 status code (no body)", "failed agent-error"},
		{"a number to begin with", "pi", false, "Done.\n404 handling was added to the router.", ""},
		{"a count", "pi", false, "400 tests pass.", ""},
		{"errors in an answer", "pi", false, "500 errors are logged now.", ""},
		{"filtered", "pi", false, "Provider finish_reason: content_filter", "failed agent-error"},
		{"no memory left", "gemini", false, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n 1: 0xb78db3 node::OOMErrorHandler [node]", "failed oom"},
		{"no memory left", "codex", false, "memory allocation of 4096 bytes failed", "failed oom"},

		{"network", "opencode", false, "> build\n\nError: Cannot connect to API: Unable to connect.", "failed disconnect"},
		{"retrying on screen", "opencode", true, "┃ mock error [retrying in 34s attempt #5]", "open agent-error"},
		{"limited on screen", "opencode", true, "   ⬝⬝■■ The usage limit has been reached. Try again in 1 hour. [retrying in 59m 53s attempt #1] esc   repo:master", "open limited"},
		{"cut off on screen", "opencode", true, "   ⬝Cannot■connect to API: The socket connection was closed unexpectedly. For more i… (click to expand) [ret\n    in 2s #3]", "open disconnect"},
		{"something else cut off on screen", "opencode", true, "$ npm test (click to expand) [3 lines]", ""},
		{"refused on screen", "opencode", true, "   ⬝Cannot⬝connect to API: Unable to connect. Is the computer able to access the url… [retrying in 1s\n    attempt #2]   • OpenCode 1.18.33", "open disconnect"},

		{"mark in the answer", "qwen", false, "half [API Error: terminated (cause: other side closed)]", "failed disconnect"},
		{"whole line", "pi", false, "half an answer\nterminated", "failed disconnect"},
		{"a word in a line", "pi", false, "the process terminated", ""},

		{"an error with a cause", "generic", false, "working\nError: connect ECONNREFUSED 127.0.0.1:1", "failed disconnect"},
		{"an error that was overcome", "generic", false, "Error: connection reset, trying again\nthe work goes on\nall done", ""},
		{"an error with a cause, on a terminal", "generic", true, "working\nError: connect ECONNREFUSED 127.0.0.1:1\n", "failed disconnect"},
		{"an error that was overcome, on a terminal", "generic", true, "Error: connection reset, trying again\nthe work goes on\nall done", ""},
		{"an error behind one that was overcome", "generic", true, "Error: connection reset, trying again\nthe work goes on\nError: 429 Too Many Requests", "failed limited"},
		{"where an error was", "generic", true, "Error: connect ECONNREFUSED 127.0.0.1:1\n    at TCPConnectWrap.afterConnect (node:net:1:1)", "failed disconnect"},
		{"an error without one", "generic", false, "Error: no such file", ""},
		{"nothing", "generic", false, "", ""},
	} {
		a, _ := ByName(c.agent)
		mode := ModeHeadless
		if c.tui {
			mode = ModeInteractive
		}
		s := a.Text(c.tail, Invocation{Agent: a.Name, Mode: mode})
		if got := strings.TrimSpace(string(s.Turn) + " " + string(s.Cause)); got != c.want {
			t.Errorf("%s, %s: %q, want %q (%s)", c.agent, c.name, got, c.want, s.Detail)
		}
	}
}

func TestTextFindsSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ tail, want string }{
		"codex":    {"To continue this session, run:\n  codex resume 01a1fcb5-8dc4-7bd0-93fd-70c9a6a8f0e1\n", "01a1fcb5-8dc4-7bd0-93fd-70c9a6a8f0e1"},
		"gemini":   {"│  To resume this session: gemini --resume 6a1c26b2-0be0-4d3a-8a55-b2b5dc6c1f4e  │", "6a1c26b2-0be0-4d3a-8a55-b2b5dc6c1f4e"},
		"opencode": {"Continue  opencode -s ses_e034ab12ffe", "ses_e034ab12ffe"},
		"claude":   {"Resume this session with:\nclaude --resume 43682e45-a187-4b9f-9f4b-0d8f4d1f2c11", "43682e45-a187-4b9f-9f4b-0d8f4d1f2c11"},
		"qwen":     {"Try qwen --resume latest, or qwen --resume my-own-review", ""},
	} {
		a, _ := ByName(name)
		if got := a.Text(c.tail, Invocation{Agent: name, Mode: ModeInteractive}).Session; got != c.want {
			t.Errorf("%s: session %q, want %q", name, got, c.want)
		}
	}
}

func TestTextWaiting(t *testing.T) {
	t.Parallel()
	a, _ := ByName("claude")
	s := a.Text("│ Do you want to proceed?\n│ ❯ 1. Yes", Invocation{Agent: "claude", Mode: ModeInteractive})
	if !s.Waiting || s.Turn != TurnUnknown {
		t.Errorf("asking for permission: %+v", s)
	}
}
