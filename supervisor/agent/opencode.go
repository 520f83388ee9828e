package agent

import (
	"path/filepath"
	"syscall"
	"time"
)

// opencode is OpenCode. Facts are those of version 1.18.
func opencode() Agent {
	return Agent{
		Name:       "opencode",
		Stop:       Stop{Signal: syscall.SIGINT, Group: true},
		ReadsStdin: true,
		Retries:    true,
		Patience:   3 * time.Minute,
		Testifies:  true,
		names:      []string{"opencode", "opencode-ai"},
		syntax:     opencodeSyntax(),
		value:      opencodeValue,
		record:     record{database: opencodeDatabase, line: opencodeRow},
		text: []rule{
			{saysRetries, behind, "[retrying in", "", ""},
			{saysRetries, behind, "(click to expand) [ret", "", ""}, // the line is too long for the screen
			{saysFailed, atStart, "Error: ", "", ""},
			{saysFailed, inset, "Connection reset by server", "", CauseDisconnect},
			{saysFailed, inset, "Cannot connect to API", "", CauseDisconnect},
			{saysWaits, inset, "Permission required", "", ""},
			{saysSession, inside, "opencode -s ", "", ""},
		},
	}
}

func opencodeSyntax() syntax {
	return syntax{
		values: []string{
			"--log-level", "--command", "-s", "--session", "-m", "--model", "--agent", "--format", "--title", "--attach", "-p", "--password",
			"-u", "--username", "--dir", "--port", "--hostname", "--variant", "--prompt", "--mdns-domain", "--replay-limit",
		},
		many: []string{"-f", "--file", "--cors"},
		verbs: []string{
			"completion", "acp", "mcp", "debug", "providers", "auth", "agent", "upgrade", "uninstall", "serve", "web", "models", "stats",
			"export", "import", "github", "session", "plugin", "plug", "db",
		},
		notices: []string{"-v", "--version", "-h", "--help"},
		resume:  []string{"-s", "--session", "-c", "--continue"},
		fork:    []string{"--fork"},
		dir:     []string{"--dir"},
		prompt:  []string{"--prompt", "-f", "--file", "--command"},
		read: func(in *Invocation) {
			in.Mode = ModeInteractive
			if plain := in.plain(); len(plain) > 0 && plain[0] == "run" && !in.has("-i", "--interactive") {
				in.Mode = ModeHeadless
				in.writes("json", "", "--format")
			} else if len(plain) == 1 && plain[0] != "run" {
				in.goTo(plain[0])
			}
		},
		again: func(in Invocation, session, prompt string) []string {
			args := append(in.kept(opencodeSyntax()), "--session", session)
			if in.Mode == ModeHeadless {
				return append(append([]string{"run"}, args...), prompt)
			}
			return append(args, in.plain()...)
		},
	}
}

// opencodeError is an error as OpenCode words it.
type opencodeError struct {
	Name string
	Data struct {
		Message string
		Status  int `json:"statusCode"`
	}
}

// aborted says whether it is no error but somebody's wish.
func (e opencodeError) aborted() bool {
	return oneOf(e.Name, "MessageAbortedError", "AbortedError")
}

// opencodeValue reads one line of `opencode run --format json`.
func opencodeValue(t *track, b []byte) {
	var v struct {
		Type    string
		Session string `json:"sessionID"`
		Part    struct{ Reason string }
		Error   opencodeError
	}
	decode(b, &v)
	t.session(v.Session)
	switch v.Type {
	case "step_start":
		t.begin()
	case "text", "reasoning":
		t.moves()
	case "tool_use":
		t.moves()
		t.Spins = 0
	case "step_finish":
		t.step(v.Part.Reason)
	case "error":
		t.opencodeFailed(v.Error)
	}
}

// step takes in why one model answer ended. Without a reason the stream broke
// off, and OpenCode asks again at once, for ever.
func (t *track) step(reason string) {
	switch reason {
	case "", "unknown", "other":
		t.struggles(CauseDisconnect, "an answer ended without a reason")
		t.Spins++
	default:
		t.Spins = 0
		t.ends(&reason, true)
	}
}

func (t *track) opencodeFailed(e opencodeError) {
	message := e.Data.Message
	if message == "" {
		message = e.Name
	}
	if e.aborted() {
		t.interrupted(message)
		return
	}
	switch e.Name {
	case "ProviderAuthError":
		t.fails(CauseAuth, message)
	case "MessageOutputLengthError", "ContextOverflowError":
		t.fails(CauseTruncated, message)
	default:
		t.fails(causeWith(e.Data.Status, message), message)
	}
}

// opencodeDatabase finds the messages in OpenCode's database. When the session
// is not known it is the one of the directory that was written to since then: an older
// one where one is continued, and a newer one where a headless run begins its own.
// Should there be several, the rows show it.
func opencodeDatabase(p Place, in Invocation, session string, since time.Time) Record {
	data := p.env("XDG_DATA_HOME", filepath.Join(p.Home, ".local", "share"))
	from := since.UnixMilli()
	const rows = `SELECT '{"session":"' || s.id || '","message":' || m.data || '}' AS row, m.time_created AS at, m.id AS id
		FROM message m JOIN session s ON s.id = m.session_id WHERE `
	const order = ` AND m.time_created >= ? ORDER BY m.time_created DESC, m.id DESC LIMIT 200`
	r := Record{Path: filepath.Join(data, "opencode", "opencode.db")}
	if session != "" {
		r.Query, r.Args = rows+`s.id = ?`+order, []any{session, from}
	} else {
		dirs := p.dirs()
		where := `s.directory IN (?, ?) AND s.parent_id IS NULL AND s.time_updated >= ?`
		r.Args = []any{dirs[0], dirs[len(dirs)-1], from}
		switch {
		case in.Resumes && !in.forks:
			where, r.Args = where+` AND s.time_created < ?`, append(r.Args, from)
		case in.Mode == ModeHeadless:
			where, r.Args = where+` AND s.time_created >= ?`, append(r.Args, from)
		}
		r.Query, r.Args = rows+where+order, append(r.Args, from)
	}
	r.Query = `SELECT row FROM (` + r.Query + `) ORDER BY at, id`
	return r
}

// opencodeRow reads one message.
func opencodeRow(t *track, b []byte) {
	var v struct {
		Session string
		Message struct {
			Role, Finish string
			Error        *opencodeError
		}
	}
	decode(b, &v)
	t.session(v.Session)
	m := v.Message
	switch {
	case m.Role == "user":
		t.begin()
	case m.Role != "assistant":
	case m.Error != nil && (m.Finish != "stop" || !m.Error.aborted()):
		t.opencodeFailed(*m.Error)
	case m.Finish != "":
		// Who leaves just then aborts what comes behind a whole answer.
		t.step(m.Finish)
	default:
		// It has no reason to end before its request was answered, even when it
		// is closed because the program is left.
		t.begin()
	}
}
