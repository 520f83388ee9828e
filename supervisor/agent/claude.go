package agent

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// claude is Claude Code. Facts of its JSON, records and texts are those of
// version 2.1.
func claude() Agent {
	return Agent{
		Name:       "claude",
		Stop:       Stop{Signal: syscall.SIGINT, Group: true},
		ReadsStdin: true,
		Retries:    true,
		Patience:   10 * time.Minute,
		Testifies:  true,
		Presumes:   true, // Stop follows a stream that ended early, too
		names:      []string{"claude", "claude-code", "@anthropic-ai/claude-code"},
		syntax:     claudeSyntax(),
		value:      claudeValue,
		record:     record{files: claudeFiles, about: claudeAbout, line: claudeEntry, unkept: "CLAUDE_CODE_SKIP_PROMPT_HISTORY"},
		text:       claudeText(),
	}
}

func claudeSyntax() syntax {
	return syntax{
		values: []string{
			"--agent", "--agents", "--append-system-prompt", "--append-system-prompt-file", "--debug-file", "--effort", "--fallback-model",
			"--input-format", "--json-schema", "--max-budget-usd", "--max-turns", "--model", "-n", "--name", "--output-format", "--permission-mode",
			"--permission-prompt-tool", "--plugin-dir", "--plugin-url", "--remote-control-session-name-prefix", "--session-id",
			"--setting-sources", "--settings", "--system-prompt", "--system-prompt-file",
		},
		maybe: []string{"-r", "--resume", "-w", "--worktree", "--from-pr", "-d", "--debug", "--prompt-suggestions", "--remote-control"},
		many: []string{
			"--add-dir", "--allowedTools", "--allowed-tools", "--betas", "--disallowedTools", "--disallowed-tools", "--file", "--mcp-config", "--tools",
		},
		verbs: []string{
			"agents", "auth", "auto-mode", "doctor", "gateway", "install", "mcp", "plugin", "plugins", "project", "setup-token",
			"ultrareview", "update", "upgrade",
		},
		notices: []string{"-v", "--version", "-h", "--help", "--bg", "--background"},
		session: []string{"--session-id"},
		resume:  []string{"-r", "--resume", "-c", "--continue", "--from-pr"},
		fork:    []string{"--fork-session"},
		unkept:  []string{"--no-session-persistence"},
		trees:   ".claude/worktrees",
		read: func(in *Invocation) {
			if in.has("-p", "--print") {
				in.Mode = ModeHeadless
			}
			if in.Mode == ModeHeadless {
				in.writes("stream-json", "json", "--output-format")
			}
		},
		again: func(in Invocation, session, prompt string) []string {
			args := append(in.kept(claudeSyntax(), "-w", "--worktree"), "--resume", session)
			if in.Mode == ModeHeadless {
				args = append(args, prompt)
			}
			return args
		},
	}
}

// claudeMessage is the part of a message that says how it ended.
type claudeMessage struct {
	Model      string  `json:"model"`
	StopReason *string `json:"stop_reason"`
	Content    any     `json:"content"`
}

// claudeValue reads one value of the JSON output. A result that is no error can
// still be one: the stream that broke off behind a whole block leaves its stop
// reason empty.
func claudeValue(t *track, b []byte) {
	var v struct {
		Type, Subtype, Error, Result string
		Session                      string  `json:"session_id"`
		Parent                       string  `json:"parent_tool_use_id"`
		IsError                      bool    `json:"is_error"`
		APIStatus                    int     `json:"api_error_status"`
		ErrorStatus                  int     `json:"error_status"`
		Stop                         *string `json:"stop_reason"`
		Terminal                     string  `json:"terminal_reason"`
		Structured                   any     `json:"structured_output"`
		Errors                       []string
		Message                      claudeMessage
	}
	decode(b, &v)
	if v.Parent != "" {
		return
	}
	t.session(v.Session)
	switch v.Type {
	case "system":
		switch v.Subtype {
		case "init":
			t.begin()
		case "api_retry":
			t.retries(retryCause(v.ErrorStatus, v.Error), "trying again after "+v.Error)
		}
	case "assistant":
		if v.Message.Model != synthetic {
			t.moves()
		}
	case "result":
		message := v.Result
		if message == "" {
			message = strings.Join(append([]string{v.Subtype}, v.Errors...), ": ")
		}
		switch {
		case v.IsError || v.Subtype != "success":
			t.fails(causeWith(v.APIStatus, message), message)
		case strings.HasPrefix(v.Result, "API Error:") && (v.Stop == nil || *v.Stop != "end_turn"): // else it is about one
			t.fails(causeOf(v.Result), v.Result)
		case v.Structured != nil, v.Terminal == "completed" && v.Stop != nil && *v.Stop == "tool_use":
			t.completes() // data was asked for, or a tool had the last word: nothing is said behind the call
		default:
			t.ends(v.Stop, v.Terminal != "")
		}
	}
}

// synthetic is the model that messages of the agent itself are attributed to.
const synthetic = "<synthetic>"

// retryCause is why a request is tried again: without an HTTP status it never
// got an answer.
func retryCause(status int, message string) Cause {
	if cause := causeWith(status, message); status != 0 || cause != CauseAgentError {
		return cause
	}
	return CauseDisconnect
}

// ends settles a turn by the stop reason of its last message. One that is
// missing means a broken stream only where it is known to be given.
func (t *track) ends(reason *string, given bool) {
	switch {
	case reason == nil && given:
		t.fails(CauseDisconnect, "the answer ended without a stop reason")
	case reason == nil, oneOf(*reason, "end_turn", "stop_sequence", "stop"):
		t.completes()
	case oneOf(*reason, "max_tokens", "length", "model_context_window_exceeded"):
		t.fails(CauseTruncated, "the answer was cut short: "+*reason)
	case oneOf(*reason, "tool_use", "toolUse", "tool-calls", "pause_turn"):
		t.moves()
	default:
		t.fails(CauseAgentError, "the answer ended with "+*reason)
	}
}

// claudeFiles lists where a session may be recorded: in a directory named after
// the agent's own, whose every character that is no letter or digit is a dash.
func claudeFiles(p Place, session string) []string {
	root := p.env("CLAUDE_CONFIG_DIR", filepath.Join(p.Home, ".claude"))
	if session != "" {
		return []string{filepath.Join(root, "projects", "*", session+".jsonl")}
	}
	var all []string
	for _, dir := range p.dirs() {
		all = append(all, filepath.Join(root, "projects", dashed(dir)+p.deeper(), "*-*-*.jsonl"))
	}
	return all
}

// dashed is a path as a file name.
func dashed(path string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, path)
}

func claudeAbout(b []byte) about {
	var v struct {
		Session string `json:"sessionId"`
		Cwd     string `json:"cwd"`
		AgentID string `json:"agentId"`
	}
	decode(b, &v)
	return about{dir: v.Cwd, session: v.Session, helper: v.AgentID != ""}
}

// claudeGiven is the result of the call that gives an answer as data. With versions
// that do not say of it that it ends the turn, there may be more.
const claudeGiven = "Structured output provided successfully"

// claudeEntry reads one entry of a session record.
func claudeEntry(t *track, b []byte) {
	var v struct {
		Type, Version, Error string
		Session              string `json:"sessionId"`
		Side                 bool   `json:"isSidechain"`
		Meta                 bool   `json:"isMeta"`
		Compact              bool   `json:"isCompactSummary"`
		APIError             bool   `json:"isApiErrorMessage"`
		Status               int    `json:"apiErrorStatus"`
		ToolResult           any    `json:"toolUseResult"`
		ToolEnds             bool   `json:"toolEndsTurn"`
		Message              claudeMessage
	}
	decode(b, &v)
	if v.Side {
		return
	}
	t.session(v.Session)
	text := contentText(v.Message.Content)
	switch {
	case v.Type == "user" && strings.HasPrefix(text, "[Request interrupted by user"):
		t.interrupted(text)
	case v.Type == "user" && v.ToolEnds:
		t.completes()
	case v.Type == "user" && v.ToolResult == claudeGiven:
		t.answered(false)
	case v.Type == "user" && v.ToolResult != nil && t.Turn == TurnCompleted && !t.Presumed:
		// The answer that ended the turn with a call made another one, too.
	case v.Type == "user" && v.ToolResult != nil:
		t.moves()
	case v.Type == "user" && !v.Meta && !v.Compact && !claudeAside(text):
		t.begin()
	case v.Type == "assistant" && (v.APIError || v.Message.Model == synthetic):
		t.fails(causeWith(v.Status, text+" "+v.Error), text)
	case v.Type == "assistant" && v.Message.StopReason == nil && !givesStopReason(v.Version):
		if text != "" && !v.Message.calls() {
			t.answered(false) // as far as can be told: no token count is looked for
		} else {
			t.moves()
		}
	case v.Type == "assistant" && v.Message.StopReason == nil:
		t.struggles(CauseDisconnect, "the last answer has no stop reason")
	case v.Type == "assistant":
		t.ends(v.Message.StopReason, true)
	}
}

// claudeAside says whether what stands there in a person's name is only noted: a
// command that the agent carries out itself or has the shell carry out, what that said,
// a memory, a reminder with nothing behind it. Everything else is put to the model, and
// a command that stands for a prompt begins with its message.
func claudeAside(text string) bool {
	const reminder, end = "<system-reminder>", "</system-reminder>"
	rest := strings.TrimSpace(text)
	for strings.HasPrefix(rest, reminder) {
		_, behind, _ := strings.Cut(rest, end)
		if rest = strings.TrimSpace(behind); rest == "" {
			return true
		}
	}
	return slices.ContainsFunc([]string{
		"command-name", "local-command-caveat", "local-command-stdout", "local-command-stderr", "bash-input", "bash-stdout", "bash-stderr",
		"user-memory-input",
	}, func(tag string) bool { return strings.HasPrefix(rest, "<"+tag+">") })
}

// givesStopReason says whether that version writes the stop reason into every
// finished message of its record. Older ones left it empty.
func givesStopReason(version string) bool { return atLeast(version, 2, 1, 150) }

// calls says whether a message calls a tool.
func (m claudeMessage) calls() bool {
	parts, _ := m.Content.([]any)
	return slices.ContainsFunc(parts, func(part any) bool {
		p, _ := part.(map[string]any)
		return p["type"] == "tool_use"
	})
}

// contentText is the plain text of a message's content: a string, or parts.
func contentText(content any) string {
	switch c := content.(type) {
	case string:
		return c
	case []any:
		var all []string
		for _, part := range c {
			if m, ok := part.(map[string]any); ok {
				if s, ok := m["text"].(string); ok {
					all = append(all, s)
				}
			}
		}
		return strings.Join(all, " ")
	}
	return ""
}

func claudeText() []rule {
	return []rule{
		{saysRetries, inset, "API Error", "Retrying in", ""},
		{saysRetries, inset, "Retrying in", "attempt", ""},
		{saysFailed, inset, "API Error", "", ""},
		{saysFailed, inset, "Failed to authenticate", "", CauseAuth},
		{saysFailed, inset, "Invalid API key", "", CauseAuth},
		{saysFailed, inset, "Not logged in", "", CauseAuth},
		{saysFailed, inset, "OAuth token", "", CauseAuth},
		{saysFailed, inset, "Credit balance is too low", "", CauseLimited},
		{saysFailed, inset, "Claude AI usage limit reached", "", CauseLimited},
		{saysFailed, inset, "Claude usage limit reached", "", CauseLimited},
		{saysFailed, inset, "You've hit your", "limit", CauseLimited},
		{saysFailed, inset, "You've reached your", "limit", CauseLimited},
		{saysFailed, inset, "You're out of extra usage", "", CauseLimited},
		{saysFailed, inset, "5-hour limit reached", "", CauseLimited},
		{saysFailed, inset, "Session limit reached", "", CauseLimited},
		{saysFailed, inset, "Weekly limit reached", "", CauseLimited},
		{saysFailed, inset, "Opus weekly limit reached", "", CauseLimited},
		{saysFailed, inset, "Your computer went to sleep", "", CauseSleep},
		{saysFailed, inset, "Connection lost while your computer was asleep", "", CauseSleep},
		{saysFailed, inset, "Connection closed mid-response", "", CauseDisconnect},
		{saysFailed, inset, "Connection lost mid-response", "", CauseDisconnect},
		{saysFailed, inset, "Connection lost before a response", "", CauseDisconnect},
		{saysFailed, inset, "Connection closed while thinking", "", CauseDisconnect},
		{saysFailed, inset, "Response stalled", "", CauseDisconnect},
		{saysFailed, inset, "The response stopped arriving", "", CauseDisconnect},
		{saysFailed, inset, "Server error mid-response", "", CauseDisconnect},
		{saysFailed, inset, "Unable to connect to API", "", CauseDisconnect},
		{saysFailed, inset, "Request timed out", "", CauseDisconnect},
		{saysFailed, inset, "Prompt is too long", "", CauseTruncated},
		{saysFailed, inset, "Error: Reached max turns", "", CauseTruncated},
		{saysFailed, inset, "Error: Exceeded USD budget", "", CauseLimited},
		{saysFailed, atStart, "Execution error", "", CauseAgentError},
		{saysUser, inset, "Interrupted", "What should Claude do", ""},
		{saysUser, inset, "Interrupted by user", "", ""},
		{saysUser, inset, "[Request interrupted by user", "", ""},
		{saysWaits, inset, "Do you want to", "?", ""},
		{saysWaits, inset, "Claude needs your permission", "", ""},
		{saysSession, inset, "claude --resume ", "", ""},
		{saysLeft, inset, "Resume this session with", "", ""},
		{saysLeft, atStart, "Try rephrasing the request", "", ""}, // behind a refusal, with a blank line between
		{saysLeft, atStart, "Learn more: ", "", ""},
		{saysLeft, atStart, "Message ID: ", "", ""},
		{saysLeft, atStart, "Request ID: ", "", ""},
		{saysMoves, inset, "⏺ ", "", ""},
		{saysMoves, inset, "● ", "", ""},
	}
}
