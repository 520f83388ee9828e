package agent

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// qwen is Qwen Code. Facts are those of version 0.15.
func qwen() Agent {
	return Agent{
		Name:       "qwen",
		Stop:       Stop{Signal: syscall.SIGINT, Group: true},
		ReadsStdin: true,
		Patience:   3 * time.Minute,
		Testifies:  true,
		Presumes:   true, // Stop follows an answer cut at a token limit, too
		names:      []string{"qwen", "qwen-code", "@qwen-code/qwen-code"},
		syntax:     qwenSyntax(),
		value:      qwenValue,
		record:     record{files: qwenFiles, about: claudeAbout, line: qwenEntry},
		telemetry: telemetry{
			prefix: "QWEN_TELEMETRY_", folder: ".qwen", home: "QWEN_HOME", module: "@qwen-code/qwen-code", tells: qwenTells, ending: qwenEnding,
		},
		text: []rule{
			{saysFailed, inside, "[API Error:", "", ""},
			{saysFailed, inset, "✕ ", "", ""},
			{saysUser, inside, "Operation cancelled.", "", ""},
			{saysUser, inset, "Request cancelled.", "", ""},
			{saysUser, inset, "●", "Request cancelled.", ""},
			{saysSpoilt, inset, "ℹ ", "Response truncated due to token limits", CauseTruncated},
			{saysSpoilt, inset, "ℹ ", "Response stopped ", CauseAgentError},
			{saysSpoilt, inset, "●", "Response truncated due to token limits", CauseTruncated},
			{saysSpoilt, inset, "●", "Response stopped ", CauseAgentError},
			{saysWaits, inset, "Allow execution", "", ""},
			{saysWaits, inset, "Apply this change?", "", ""},
			{saysMoves, inset, "✦ ", "", ""},
			{saysMoves, inset, "◆", "", ""},
			{saysSession, inside, "qwen --resume ", "", ""},
		},
	}
}

func qwenSyntax() syntax {
	s := geminiSyntax()
	s.values = slices.Concat(s.values, []string{
		"--system-prompt", "--append-system-prompt", "--sandbox-image", "--channel", "--mcp-config", "--openai-logging-dir", "--openai-api-key",
		"--openai-base-url", "--input-format", "--json-fd", "--json-file", "--json-schema", "--input-file", "--max-session-turns", "--auth-type",
		"--telemetry-otlp-endpoint", "--telemetry-otlp-protocol", "--disabled-slash-commands",
	})
	s.many = slices.Concat(s.many, []string{"--core-tools", "--exclude-tools", "--add-dir"})
	s.trees = ".qwen/worktrees"
	s.unkept = []string{"--no-chat-recording", "--chat-recording=false"}
	s.verbs = []string{"mcp", "extensions", "auth", "hooks", "hook", "channel", "review"}
	s.resume = []string{"-r", "--resume", "-c", "--continue"}
	s.read = func(in *Invocation) {
		if len(in.plain()) > 0 {
			in.Mode = ModeHeadless
		}
		geminiRead(in)
	}
	s.again = func(in Invocation, session, prompt string) []string {
		args := append(in.kept(qwenSyntax()), "--resume", session)
		if in.Mode == ModeHeadless {
			args = append(args, "-p", prompt)
		}
		return args
	}
	return s
}

// qwenMark is how Qwen Code writes an error into its answer, even into a result
// it calls a success.
const qwenMark = "[API Error:"

// qwenValue reads one value of the JSON output.
func qwenValue(t *track, b []byte) {
	var v struct {
		Type, Subtype, Result string
		Session               string `json:"session_id"`
		Parent                string `json:"parent_tool_use_id"`
		IsError               bool   `json:"is_error"`
		Error                 struct{ Message string }
	}
	decode(b, &v)
	if v.Parent != "" {
		return
	}
	t.session(v.Session)
	switch {
	case v.Type == "system" && v.Subtype == "init":
		t.begin()
	case v.Type == "assistant", v.Type == "user":
		t.moves()
	case v.Type == "result" && strings.HasSuffix(strings.TrimSpace(v.Result), "]") && strings.Contains(v.Result, qwenMark):
		message := v.Result[strings.LastIndex(v.Result, qwenMark):]
		t.fails(causeOf(message), message)
	case v.Type == "result" && (v.IsError || v.Subtype != "success"):
		message := strings.TrimSpace(v.Error.Message + " " + v.Result)
		if message == "" {
			message = v.Subtype
		}
		t.fails(causeOf(message), message)
	case v.Type == "result":
		t.completes()
	}
}

// qwenFiles lists the chats: in a directory per project, named like Claude's.
func qwenFiles(p Place, session string) []string {
	root := p.env("QWEN_HOME", filepath.Join(p.Home, ".qwen"))
	if session != "" {
		return []string{filepath.Join(root, "projects", "*", "chats", session+".jsonl")}
	}
	var all []string
	for _, dir := range p.dirs() {
		all = append(all, filepath.Join(root, "projects", dashed(dir)+p.deeper(), "chats", "*.jsonl"))
	}
	return all
}

// qwenPieces is how often Qwen Code has an answer that was cut short continued
// before it takes it as it is.
const qwenPieces = 3

// qwenEntry reads one entry of a chat. An answer that broke off, or that was cut
// short and is being continued, is written like a whole one; a request that failed
// leaves an entry of telemetry only.
func qwenEntry(t *track, b []byte) {
	var v struct {
		Type    string
		Session string `json:"sessionId"`
		Usage   *struct {
			Output int `json:"candidatesTokenCount"`
		} `json:"usageMetadata"`
		Message struct {
			Parts []struct {
				Text string
				Call any `json:"functionCall"`
			}
		}
		System struct {
			Event struct {
				Name   string `json:"event.name"`
				Error  string `json:"error"`
				Detail string `json:"error_message"`
				Status int    `json:"status_code"`
				Tokens *int   `json:"total_token_count"`
			} `json:"uiEvent"`
		} `json:"systemPayload"`
	}
	decode(b, &v)
	t.session(v.Session)
	event := v.System.Event
	calls := false
	for _, p := range v.Message.Parts {
		calls = calls || p.Call != nil
	}
	if oneOf(v.Type, "user", "tool_result") || calls {
		t.pieces, t.responded = 0, false
	}
	t.responded = t.responded || event.Name == "qwen-code.api_response"
	switch {
	case v.Type == "user":
		t.begin()
	case v.Type == "tool_result", v.Type == "assistant" && calls:
		t.moves()
	case v.Type == "assistant":
		t.pieces++
		switch {
		case v.Usage == nil && !t.responded:
			t.moves() // as far as it came: the request is still open
		case t.pieces > qwenPieces:
			t.fails(CauseTruncated, "the answer was continued again and again")
		case v.Usage != nil && atLimit(v.Usage.Output):
			t.fails(CauseTruncated, "the last answer is as long as an answer may be")
		default:
			t.answered(v.Usage != nil)
		}
	case event.Name == "qwen-code.api_response" && event.Tokens != nil && *event.Tokens == 0 && t.Turn == TurnOpen:
		// The answer itself follows, unless it is thrown away and asked for again.
		t.struggles(CauseDisconnect, "an answer came without its token count")
	case event.Name == "qwen-code.api_error" && t.Turn == TurnOpen:
		message := strings.TrimSpace(event.Error + " " + event.Detail)
		t.struggles(causeWith(event.Status, message), message)
	}
}

// qwenTells is how a version tells. Version 0.15 has no such span, and on a full disk
// exits 1 in the middle of a long answer; 0.24.4 was seen to tell and to mind nothing.
func qwenTells(version string) Telling {
	switch {
	case version == "":
		return TellsLoudly
	case since(version, 24):
		return TellsSilently
	default:
		return TellsNothing
	}
}

// qwenEnding reads one value of the telemetry: of a request, its span says how it was
// answered. Its prompt is named after the session and a number; those of helpers have
// a name in between.
func qwenEnding(b []byte) (ending, bool) {
	var v struct {
		Name       string
		Attributes struct {
			Session string   `json:"session.id"`
			Prompt  string   `json:"qwen-code.prompt_id"`
			Reasons []string `json:"gen_ai.response.finish_reasons"`
		}
	}
	decode(b, &v)
	a := v.Attributes
	return ending{session: a.Session, reasons: a.Reasons}, v.Name == "qwen-code.llm_request" && strings.HasPrefix(a.Prompt, a.Session+"########")
}
