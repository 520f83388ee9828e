package agent

import (
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// pi is the pi coding agent. Facts are those of versions 0.73 and 0.87. The older
// takes a stream that ends cleanly but early for a finished answer; all that tells
// the two apart is that the token count, which comes last, is missing from the
// early one. The newer, which writes down what it tells the model, once for as long as
// that stays the same, and how the server said that an answer ended, does not.
func pi() Agent {
	return Agent{
		Name:       "pi",
		Stop:       Stop{Signal: syscall.SIGTERM, Group: true},
		ReadsStdin: true,
		Retries:    true,
		Patience:   time.Minute,
		Testifies:  true,
		Presumes:   true, // older ones say stop of a stream that ended early
		honest:     true,
		names:      []string{"pi", "pi-coding-agent", "@mariozechner/pi-coding-agent", "@earendil-works/pi-coding-agent"},
		syntax:     piSyntax(),
		value:      piValue,
		record:     record{files: piFiles, about: piAbout, line: piEntry},
		text:       piText(),
	}
}

// piText lists its texts. Errors have no mark: a refusal begins with its HTTP
// status, in front of a colon or of what the server said, and else the message is all.
func piText() []rule {
	rules := []rule{
		{saysWorks, inset, "── ", " Working ──", ""},
		{saysWorks, inset, "── ", " Working (", ""}, // with a hint, as on its way out
		{saysFailed, whole, "terminated", "", CauseDisconnect},
		{saysFailed, whole, "fetch failed", "", CauseDisconnect},
		{saysFailed, atStart, "Connection error", "", CauseDisconnect},
		{saysFailed, atStart, "Request timed out", "", CauseDisconnect},
		{saysFailed, atStart, "Stream ended without ", "", CauseDisconnect},
		{saysFailed, atStart, "Anthropic stream ended ", "", CauseDisconnect},
		{saysFailed, atStart, "OpenAI Responses stream ended ", "", CauseDisconnect},
		{saysFailed, atStart, "Google stream ended ", "", CauseDisconnect},
		{saysFailed, atStart, "Provider finish_reason: ", "", ""},
		{saysFailed, atStart, "Error: ", "", ""},
		{saysFailed, atStart, "No API key", "", CauseAuth},
	}
	for _, status := range []string{"400", "401", "402", "403", "404", "408", "413", "429", "500", "502", "503", "504", "529"} {
		rules = append(rules, rule{saysFailed, atStart, status + ": ", "", ""}, rule{saysFailed, refused, status + " ", "", ""})
	}
	return rules
}

func piSyntax() syntax {
	return syntax{
		values: []string{
			"--provider", "--model", "--api-key", "--system-prompt", "--append-system-prompt", "--mode", "--session", "--fork", "--session-dir",
			"--models", "--tools", "-t", "--thinking", "--extension", "-e", "--skill", "--prompt-template", "--theme", "--export",
			"--session-id", "-n", "--name", "-xt", "--exclude-tools", "--use-theme", "--tui-mode",
		},
		verbs:   []string{"install", "remove", "uninstall", "update", "list", "config", "auth"},
		notices: []string{"--help", "-h", "--version", "-v", "--list-models", "--export"},
		session: []string{"--session-id"},
		resume:  []string{"--session", "-c", "--continue", "-r", "--resume"},
		fork:    []string{"--fork"},
		unkept:  []string{"--no-session"},
		read: func(in *Invocation) {
			if in.has("-p", "--print") || oneOf(in.value("--mode"), "json", "rpc") {
				in.Mode = ModeHeadless
				in.writes("json", "", "--mode")
			}
		},
		again: func(in Invocation, session, prompt string) []string {
			if in.value("--mode") == "rpc" {
				return nil
			}
			args := append(in.kept(piSyntax()), "--session", session)
			if in.Mode == ModeHeadless {
				args = append(args, prompt)
			}
			return args
		},
	}
}

// piMessage is the part of a message that says how it ended.
type piMessage struct {
	Role   string
	Reason string `json:"stopReason"`
	// Raw is the reason in the server's own word, which newer versions write down; an
	// answer that broke off has none.
	Raw   string `json:"rawStopReason"`
	Error string `json:"errorMessage"`
	Usage *struct {
		Total int `json:"totalTokens"`
	}
}

// piValue reads one line of `pi --mode json`.
func piValue(t *track, b []byte) {
	var v struct {
		Type, ID   string
		Message    piMessage
		Error      string `json:"errorMessage"`
		FinalError string `json:"finalError"`
		Success    bool
	}
	decode(b, &v)
	switch v.Type {
	case "session":
		t.session(v.ID)
	case "agent_start":
		t.begin()
	case "tool_execution_start", "tool_execution_end":
		t.moves()
	case "message_end":
		t.piMessage(v.Message)
	case "auto_retry_start":
		t.retries(retryCause(0, v.Error), v.Error)
	case "auto_retry_end":
		if !v.Success {
			t.fails(causeOf(v.FinalError), v.FinalError)
		}
	}
}

// piMessage takes in a message that ended. One that failed may be tried again.
func (t *track) piMessage(m piMessage) {
	switch {
	case m.Role == "system":
		t.frank = true
	case m.Role == "user":
		t.begin()
	case m.Role == "toolResult":
		t.moves()
	case m.Role != "assistant":
	case m.Reason == "error":
		t.fails(causeOf(m.Error), m.Error)
	case m.Reason == "aborted":
		t.interrupted(strings.TrimSpace("the answer was aborted " + m.Error))
	case m.Reason == "stop" && m.Usage != nil && m.Usage.Total == 0 && m.Raw == "" && !t.frank:
		t.fails(CauseDisconnect, "the answer ended without its token count")
	default:
		t.ends(&m.Reason, true)
	}
}

// piFiles lists the sessions: in a directory per directory, named after it.
func piFiles(p Place, session string) []string {
	root := filepath.Join(p.env("PI_CODING_AGENT_DIR", filepath.Join(p.Home, ".pi", "agent")), "sessions")
	if session != "" {
		return []string{filepath.Join(root, "*", "*"+session+".jsonl")}
	}
	var all []string
	for _, dir := range p.dirs() {
		name := strings.NewReplacer("/", "-", `\`, "-", ":", "-").Replace(strings.TrimPrefix(dir, "/"))
		all = append(all, filepath.Join(root, "--"+name+"--", "*.jsonl"))
	}
	return all
}

func piAbout(b []byte) about {
	var v struct{ Type, ID, Cwd string }
	decode(b, &v)
	if v.Type != "session" {
		return about{}
	}
	return about{dir: v.Cwd, session: v.ID}
}

// piEntry reads one entry of a session.
func piEntry(t *track, b []byte) {
	var v struct {
		Type, ID string
		Message  piMessage
	}
	decode(b, &v)
	switch v.Type {
	case "session":
		t.session(v.ID)
	case "message":
		t.piMessage(v.Message)
	}
}
