package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// gemini is Google's Gemini CLI. Facts are those of version 0.61.
func gemini() Agent {
	return Agent{
		Name: "gemini",
		// Its npm entry is a launcher that swallows signals; a TERM to the group
		// ends it with exit 0 in the middle of a turn.
		Stop:       Stop{Signal: syscall.SIGINT, Group: true},
		ReadsStdin: true,
		Patience:   5 * time.Minute,
		Testifies:  true,
		names:      []string{"gemini", "gemini-cli", "@google/gemini-cli"},
		syntax:     geminiSyntax(),
		value:      geminiValue,
		record:     record{files: geminiFiles, about: geminiAbout, line: geminiEntry},
		text:       geminiText(),
		telemetry: telemetry{
			prefix: "GEMINI_TELEMETRY_", folder: ".gemini", module: "@google/gemini-cli", tells: geminiTells, ending: geminiEnding,
		},
	}
}

func geminiSyntax() syntax {
	return syntax{
		values: []string{
			"-m", "--model", "-p", "--prompt", "-i", "--prompt-interactive", "--approval-mode", "--session-file", "--session-id",
			"--delete-session", "-o", "--output-format", "--telemetry-target", "--telemetry-outfile", "--proxy",
		},
		maybe: []string{"-r", "--resume", "-w", "--worktree"},
		many: []string{
			"--policy", "--admin-policy", "--allowed-mcp-server-names", "--allowed-tools", "-e", "--extensions", "--include-directories",
		},
		verbs:   []string{"mcp", "extensions", "extension", "skills", "skill", "hooks", "hook", "gemma"},
		notices: []string{"-v", "--version", "-h", "--help", "-l", "--list-extensions", "--list-sessions", "--delete-session", "--acp", "--experimental-acp"},
		session: []string{"--session-id"},
		resume:  []string{"-r", "--resume", "--session-file"},
		trees:   ".gemini/worktrees",
		prompt:  []string{"-p", "--prompt", "-i", "--prompt-interactive"},
		read:    geminiRead,
		again: func(in Invocation, session, prompt string) []string {
			args := append(in.kept(geminiSyntax(), "-w", "--worktree"), "--resume", session)
			if in.Mode == ModeHeadless {
				args = append(args, "-p", prompt)
			}
			return args
		},
	}
}

func geminiRead(in *Invocation) {
	switch {
	case in.has("-p", "--prompt"):
		in.Mode = ModeHeadless
	case in.has("-i", "--prompt-interactive"):
		in.Mode = ModeInteractive
	}
	if in.Mode == ModeHeadless {
		in.writes("stream-json", "json", "-o", "--output-format")
	}
}

// geminiValue reads one value of the JSON output: an event of a stream, or the
// one document of `-o json`.
func geminiValue(t *track, b []byte) {
	var v struct {
		Type, Role, Status, Severity, Message string
		Session                               string `json:"session_id"`
		Response                              *string
		Error                                 *struct {
			Message string
			Code    int
		}
	}
	decode(b, &v)
	t.session(v.Session)
	switch v.Type {
	case "init":
		t.begin()
	case "message":
		if v.Role == "assistant" {
			t.moves()
		}
	case "tool_use", "tool_result":
		t.moves()
	case "error":
		if v.Severity != "warning" {
			t.struggles(causeOf(v.Message), v.Message)
		}
	case "result":
		t.geminiResult(v.Status == "success", v.Error)
	case "":
		if v.Response != nil || v.Error != nil {
			t.geminiResult(v.Error == nil, v.Error)
		}
	}
}

// geminiResult settles the turn by a final status. Without a message of its own
// a failure is explained by the trouble told before.
func (t *track) geminiResult(success bool, e *struct {
	Message string
	Code    int
},
) {
	switch {
	case success:
		t.completes()
	case e != nil:
		t.fails(causeWith(e.Code, e.Message), e.Message)
	case t.Cause != "":
		t.fails(t.Cause, t.Detail)
	default:
		t.fails(CauseAgentError, "the result is an error")
	}
}

// geminiFiles lists the chats: in a directory per project, whose name is made up
// by Gemini and explained by a file in it, or in older versions a digest.
func geminiFiles(p Place, session string) []string {
	root := filepath.Join(p.env("GEMINI_CLI_HOME", p.Home), ".gemini", "tmp")
	if len(session) >= 8 {
		return []string{filepath.Join(root, "*", "chats", "session-*"+session[:8]+"*.json*")}
	}
	var all []string
	for _, dir := range p.dirs() {
		digest := sha256.Sum256([]byte(dir))
		all = append(all, filepath.Join(root, hex.EncodeToString(digest[:]), "chats", "session-*.json*"))
	}
	marks, _ := filepath.Glob(filepath.Join(root, "*", ".project_root"))
	for _, mark := range marks {
		if p.is(strings.TrimSpace(string(start(mark)))) {
			all = append(all, filepath.Join(filepath.Dir(mark), "chats", "session-*.json*"))
		}
	}
	return all
}

// geminiAbout finds a chat's session; its directory is known from its path.
func geminiAbout(b []byte) about {
	var v struct {
		Session string `json:"sessionId"`
		Kind    string `json:"kind"`
	}
	decode(b, &v)
	return about{session: v.Session, helper: v.Kind == "subagent"}
}

// geminiEntry reads one entry of a chat. A turn that failed is taken back: the
// list of messages is set anew, without an answer.
func geminiEntry(t *track, b []byte) {
	var v struct {
		geminiMessage
		Session string `json:"sessionId"`
		Tokens  *struct{ Output, Thoughts int }
		Set     struct{ Messages []geminiMessage } `json:"$set"`
	}
	decode(b, &v)
	t.session(v.Session)
	if v.Set.Messages != nil {
		t.Gone = !slices.ContainsFunc(v.Set.Messages, geminiMessage.stays)
	} else if v.stays() {
		t.Gone = false
	}
	switch {
	case v.Type == "user" && !strings.HasPrefix(contentText(v.Content), "<session_context>"):
		t.begin()
	case v.Type == "gemini" && len(v.ToolCalls) > 0:
		t.counted = t.counted || v.Tokens != nil
		t.moves()
	case v.Type == "gemini" && v.Tokens != nil && atLimit(v.Tokens.Output+v.Tokens.Thoughts):
		t.counted = true
		t.fails(CauseTruncated, "the last answer is as long as an answer may be")
	case v.Type == "gemini" && contentText(v.Content) != "":
		t.answered(v.Tokens != nil)
	case v.Type == "gemini" && v.Tokens != nil:
		t.counted = true
	case v.Type == "error" && t.Turn == TurnOpen:
		t.struggles(causeOf(contentText(v.Content)), contentText(v.Content))
	}
}

// geminiMessage is a message of a chat.
type geminiMessage struct {
	Type      string
	Content   any
	ToolCalls []any `json:"toolCalls"`
	Thoughts  []any
}

// stays says whether a chat of which this is a message can be gone on with, as Gemini
// CLI 0.61 judges it: not for what it says to the model in its user's name, and not for
// commands of its own.
func (m geminiMessage) stays() bool {
	text := strings.TrimSpace(contentText(m.Content))
	switch m.Type {
	case "gemini":
		return text != "" || len(m.ToolCalls)+len(m.Thoughts) > 0
	case "user":
		own := func(prefix string) bool { return strings.HasPrefix(text, prefix) }
		return text != "" && !slices.ContainsFunc([]string{"/", "?", "<session_context>", "<hook_context>"}, own)
	default:
		return false
	}
}

// geminiTells is how a version tells. Versions 0.40.1, 0.52.0 and 0.61.0 were seen to:
// the same output and exit codes, a warning of its own library on standard error and
// three more when a signal ends it. On a full disk 0.61.0 exits 1 in mid-answer.
func geminiTells(version string) Telling {
	if since(version, 40) {
		return TellsAside
	}
	return TellsLoudly
}

// geminiEnding reads one value of the telemetry: an answer, in pieces that each have a
// reason, or a request that was not answered.
func geminiEnding(b []byte) (ending, bool) {
	var v struct {
		Attributes struct {
			Event   string   `json:"event.name"`
			Session string   `json:"session.id"`
			Role    string   `json:"role"`
			Reasons []string `json:"finish_reasons"`
		}
	}
	decode(b, &v)
	a := v.Attributes
	return ending{session: a.Session, reasons: a.Reasons}, oneOf(a.Event, "gemini_cli.api_response", "gemini_cli.api_error") && oneOf(a.Role, "", "main")
}

func geminiText() []rule {
	return []rule{
		{saysTrouble, inside, "Error when talking to Gemini API", "", ""}, // behind an answer, without a line break
		{saysTrouble, inset, "[cause]: ", "", ""},
		{saysTrouble, atStart, "Attempt ", "Max attempts reached", ""},
		{saysRetries, atStart, "Attempt ", "Retrying", ""},
		{saysUser, inside, "[ERROR] Operation cancelled.", "", ""},
		{saysUser, inside, "Operation cancelled.", "", ""},
		{saysUser, inset, "ℹ Request cancelled.", "", ""},
		{saysFailed, inside, "[ERROR] Model stream ended", "", CauseDisconnect},
		{saysFailed, inside, "[ERROR] ", "", ""},
		{saysSpoilt, inset, "ℹ ", "Response truncated due to token limits", CauseTruncated},
		{saysSpoilt, inset, "ℹ ", "Response stopped ", CauseAgentError},
		{saysLeft, inset, ">   Type your message", "", ""},
		{saysLeft, inset, "> /", "", ""},
		{saysAsked, inset, "> ", "", ""},
		{saysFailed, atStart, "An unexpected critical error occurred", "", ""},
		{saysFailed, inset, "✕ ", "", ""},
		{saysFailed, inside, "[API Error:", "", ""},
		{saysFailed, atStart, "Please set an Auth method", "", CauseAuth},
		{saysFailed, atStart, "Invalid auth method", "", CauseAuth},
		{saysFailed, atStart, "Reached max session turns", "", CauseTruncated},
		{saysFailed, inset, "Usage limit reached", "", CauseLimited},
		{saysFailed, inset, "You have exhausted your", "", CauseLimited},
		{saysWaits, inset, "Allow execution", "", ""},
		{saysWaits, inset, "Apply this change?", "", ""},
		{saysWaits, inside, "Waiting for user confirmation", "", ""},
		{saysMoves, inset, "✦ ", "", ""},
		{saysSession, inside, "gemini --resume ", "", ""},
		{saysLeft, atStart, "    at ", "", ""},
		{saysLeft, atStart, "[STARTUP]", "", ""},
	}
}
