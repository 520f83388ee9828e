package agent

import (
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// codex is OpenAI's Codex CLI. Facts are those of version 0.169.
func codex() Agent {
	return Agent{
		Name:       "codex",
		Stop:       Stop{Signal: syscall.SIGINT, Group: true},
		ReadsStdin: true,
		Retries:    true,
		// Five attempts behind an idle limit of 300 s each; with nothing to
		// connect to it waits for ever.
		Patience:  30 * time.Minute,
		Testifies: true,
		honest:    true,
		names:     []string{"codex", "codex-cli", "@openai/codex"},
		syntax:    codexSyntax(),
		value:     codexValue,
		record:    record{files: codexFiles, about: codexAbout, line: codexEntry},
		text:      codexText(),
	}
}

func codexSyntax() syntax {
	return syntax{
		values: []string{
			"-c", "--config", "--enable", "--disable", "--remote", "--remote-auth-token-env", "-m", "--model", "--local-provider", "-p", "--profile",
			"-s", "--sandbox", "-C", "--cd", "--add-dir", "-a", "--ask-for-approval", "--thread-source", "--cyber-access-program",
			"--output-schema", "--color", "-o", "--output-last-message",
		},
		many: []string{"-i", "--image"},
		verbs: []string{
			"agents", "login", "logout", "mcp", "mcp-server", "plugin", "app-server", "remote-control", "completion", "update", "doctor",
			"sandbox", "debug", "apply", "a", "queue", "archive", "delete", "migrate-rollouts", "migrate-nfs-db", "unarchive", "cloud", "exec-server",
			"features", "help",
		},
		unkept:  []string{"--ephemeral"},
		dir:     []string{"-C", "--cd"},
		notices: []string{"-V", "--version", "-h", "--help"},
		read:    codexRead,
		again:   codexAgain,
	}
}

// codexRead understands the verbs: exec, review, resume, fork.
func codexRead(in *Invocation) {
	plain := in.plain()
	in.Mode = ModeInteractive
	if len(plain) > 0 && oneOf(plain[0], "exec", "e", "review") {
		in.Mode = ModeHeadless
		if plain = plain[1:]; in.has("--json", "--experimental-json") {
			in.Output, in.OutputFlag = OutputLines, "--json"
		}
	}
	if len(plain) > 0 && oneOf(plain[0], "resume", "fork") {
		in.Resumes, in.forks = true, plain[0] == "fork"
		if plain[0] == "resume" && len(plain) > 1 && isSession(plain[1]) {
			in.Session = plain[1]
		}
	}
}

// codexAgain keeps the options where they were: some belong to codex itself,
// before the verb, and some to exec, before its own verb.
func codexAgain(in Invocation, session, prompt string) []string {
	if len(in.plain()) > 0 && in.plain()[0] == "review" {
		return nil
	}
	var args []string
	verb := false
	for _, w := range in.words {
		switch {
		case w.option == "" && oneOf(w.value, "exec", "e") && !verb:
			verb = true
			args = append(args, w.value)
		case w.option != "" && !oneOf(w.option, "--last", "--all", "-i", "--image"):
			args = append(args, w.raw...)
		}
	}
	if args = append(args, "resume", session); in.Mode == ModeHeadless {
		args = append(args, prompt)
	}
	return args
}

// codexValue reads one line of `codex exec --json`.
func codexValue(t *track, b []byte) {
	var v struct {
		Type, Message string
		Thread        string `json:"thread_id"`
		Error         struct{ Message string }
		Item          struct{ Type string }
	}
	decode(b, &v)
	switch v.Type {
	case "thread.started":
		t.session(v.Thread)
	case "turn.started":
		t.begin()
	case "turn.completed":
		t.completes()
	case "turn.failed":
		t.fails(causeOf(v.Error.Message), v.Error.Message)
	case "error":
		if strings.HasPrefix(v.Message, "Reconnecting") {
			t.retries(retryCause(0, v.Message), v.Message)
		} else {
			t.struggles(causeOf(v.Message), v.Message)
		}
	case "item.started", "item.updated", "item.completed":
		// Items of type error are warnings; some come before any turn.
		if v.Item.Type != "error" && t.Turn == TurnOpen {
			t.moves()
		}
	}
}

// codexFiles lists the rollouts: one per session, by day.
func codexFiles(p Place, session string) []string {
	root := p.env("CODEX_HOME", filepath.Join(p.Home, ".codex"))
	name := "rollout-*.jsonl"
	if session != "" {
		name = "rollout-*" + session + ".jsonl"
	}
	return []string{filepath.Join(root, "sessions", "*", "*", "*", name)}
}

func codexAbout(b []byte) about {
	var v struct {
		Type    string
		Payload struct {
			ID, Cwd string
			Source  any
			Thread  string `json:"thread_source"`
		}
	}
	decode(b, &v)
	if v.Type != "session_meta" {
		return about{}
	}
	_, nested := v.Payload.Source.(map[string]any)
	return about{dir: v.Payload.Cwd, session: v.Payload.ID, helper: nested || !oneOf(v.Payload.Thread, "", "user")}
}

// codexEntry reads one line of a rollout.
func codexEntry(t *track, b []byte) {
	var v struct {
		Type    string
		Payload struct {
			ID, Type, Reason, Message string
			Error                     *struct{ Message string }
		}
	}
	decode(b, &v)
	if v.Type == "session_meta" {
		t.session(v.Payload.ID)
	}
	if v.Type != "event_msg" {
		return
	}
	switch v.Payload.Type {
	case "task_started", "turn_started":
		t.begin()
	case "task_complete", "turn_complete":
		if e := v.Payload.Error; e != nil {
			t.fails(causeOf(e.Message), e.Message)
		} else {
			t.completes()
		}
	case "turn_aborted":
		if v.Payload.Reason == "interrupted" {
			t.interrupted("the turn was interrupted")
		} else {
			t.fails(causeOf(v.Payload.Reason), "the turn was aborted: "+v.Payload.Reason)
		}
	case "error":
		t.struggles(causeOf(v.Payload.Message), v.Payload.Message)
	case "stream_error":
		t.retries(retryCause(0, v.Payload.Message), v.Payload.Message)
	case "agent_message", "agent_reasoning", "exec_command_end", "patch_apply_end":
		if t.Turn == TurnOpen {
			t.moves()
		}
	}
}

func codexText() []rule {
	return []rule{
		{saysRetries, atStart, "ERROR: Reconnecting", "", CauseDisconnect},
		{saysRetries, inset, "• Reconnecting", "", CauseDisconnect},
		{saysRetries, inset, "◦ Reconnecting", "", CauseDisconnect}, // the bullet blinks
		{saysFailed, atStart, "ERROR: ", "", ""},
		{saysUser, whole, "turn interrupted", "", ""},
		{saysUser, whole, "^Cturn interrupted", "", ""},
		{saysUser, inset, "■ Conversation interrupted", "", ""},
		{saysFailed, inset, "■ ", "", ""},
		{saysMoves, whole, "codex", "", ""},
		{saysMoves, whole, "exec", "", ""},
		{saysMoves, inset, "• Working (", "", ""},
		{saysMoves, inset, "◦ Working (", "", ""},
		{saysEnded, whole, "tokens used", "", ""},
		{saysCompleted, inset, "Worked for ", "", ""},
		{saysWaits, inset, "Would you like to", "?", ""},
		{saysWaits, inset, "Allow command?", "", ""},
		{saysSession, atStart, "session id: ", "", ""},
		{saysSession, inset, "codex resume ", "", ""},
		{saysLeft, atStart, "To continue this session, run", "", ""},
		{saysLeft, atStart, "Token usage: ", "", ""},
		{saysLeft, atStart, "hook: ", "", ""},
		{saysLeft, atStart, "warning: ", "", ""},
	}
}
