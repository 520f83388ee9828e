package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// scene is one recorded run of a real agent against a model server that failed
// in a known way.
type scene struct {
	argv   []string
	exit   *int // nil: a signal
	json   string
	text   string
	record string
	rows   []string
	// telemetry is what it wrote when it was asked to.
	telemetry string
	terminal  bool
}

// judge lets every witness speak and answers with the first item of evidence, as
// "turn cause", and "-" when nothing is known.
func (s scene) judge(t *testing.T) (string, Seen) {
	t.Helper()
	a, ok := ByCommand(s.argv)
	if !ok {
		t.Fatalf("%q is not recognised", s.argv)
	}
	seen := Seen{Invocation: a.Read(s.argv, s.terminal), Exit: s.exit}
	r := a.Reader(seen.Invocation)
	r.Feed([]byte(s.json))
	r.Close()
	seen.JSON = r.Standing()
	seen.Text = a.Text(s.text, seen.Invocation)
	if s.record != "" {
		path := filepath.Join(t.TempDir(), "record.jsonl")
		if err := os.WriteFile(path, []byte(s.record), 0o600); err != nil {
			t.Fatal(err)
		}
		seen.Record = a.ReadRecord(Record{Path: path}, time.Time{})
	}
	if len(s.rows) > 0 {
		seen.Record = a.ReadRows(s.rows)
	}
	told := a.TelemetryReader(seen.Invocation)
	told.Feed([]byte(s.telemetry))
	seen.Telemetry = told.Standing(seen.Session())
	evidence := a.Verdict(seen)
	if len(evidence) == 0 {
		return "-", seen
	}
	return strings.TrimSpace(string(evidence[0].Turn) + " " + string(evidence[0].Points)), seen
}

// runs lists what each recorded run amounts to. A run named after a fault is one
// the agent met: once, where it says so, and else for ever. The end is the one
// that really was, with one exception that leaves no trace at all: Gemini says
// nothing of an answer that was cut short, unless it counts as many tokens as an
// answer may have at most (maxtok-limit) or writes its telemetry (told).
func runs() map[string]string {
	return map[string]string{
		"claude-json-normal": "completed", "claude-text-normal": "completed",
		"claude-json-fin": "failed disconnect", "claude-text-fin": "failed disconnect",
		"claude-json-eof": "failed disconnect", "claude-text-eof": "failed disconnect",
		"claude-json-noterm": "failed disconnect", "claude-text-noterm": "open disconnect",
		"claude-json-sse_error": "failed disconnect", "claude-text-sse_error": "failed disconnect",
		"claude-json-fin-once": "failed disconnect", "claude-text-fin-once": "failed disconnect",
		"claude-json-eof-once": "failed disconnect", "claude-text-eof-once": "failed disconnect",
		"claude-json-refused": "failed disconnect", "claude-text-refused": "failed disconnect",
		"claude-json-maxtok": "failed truncated", "claude-text-maxtok": "failed truncated",
		"claude-json-e401": "failed auth", "claude-text-e401": "failed auth",
		"claude-json-e429": "failed limited", "claude-text-e429": "failed limited",
		"claude-json-e500": "failed agent-error", "claude-text-e500": "failed agent-error",
		"claude-json-stall": "open", "claude-text-stall": "open",
		"claude-json-int": "open", "claude-text-int": "failed agent-error",
		"claude-json-tool": "completed", "claude-json-toolfin": "failed disconnect",

		"codex-json-normal": "completed", "codex-text-normal": "completed",
		"codex-json-fin": "failed disconnect", "codex-text-fin": "failed disconnect",
		"codex-json-eof": "failed disconnect", "codex-text-eof": "failed disconnect",
		"codex-json-sse_error": "failed disconnect", "codex-text-sse_error": "failed disconnect",
		"codex-json-fin-once": "completed", "codex-text-fin-once": "completed",
		"codex-json-maxtok": "failed truncated", "codex-text-maxtok": "failed truncated",
		"codex-json-e401": "failed auth", "codex-text-e401": "failed auth",
		"codex-json-stall": "open", "codex-text-stall": "open",
		"codex-json-int": "interrupted user", "codex-text-int": "interrupted user",
		"codex-json-refused": "open", "codex-text-refused": "open",
		"codex-json-e500": "failed agent-error", "codex-text-e500": "failed agent-error",
		"codex-json-tool": "completed",

		"gemini-json-normal": "completed", "gemini-text-normal": "completed",
		"gemini-json-fin": "failed disconnect", "gemini-text-fin": "failed disconnect",
		"gemini-json-fin-once": "failed disconnect", "gemini-text-fin-once": "failed disconnect",
		"gemini-json-eof": "failed disconnect", "gemini-text-eof": "failed disconnect",
		"gemini-json-sse_error": "failed disconnect", "gemini-text-sse_error": "failed disconnect",
		"gemini-json-maxtok": "completed", "gemini-text-maxtok": "completed",
		"gemini-json-e401": "failed auth", "gemini-text-e401": "failed auth",
		"gemini-json-stall": "open", "gemini-text-stall": "open",
		"gemini-json-int": "open", "gemini-text-int": "open",
		"gemini-json-tool": "completed",

		"opencode-json-normal": "completed", "opencode-text-normal": "completed",
		"opencode-json-fin": "failed disconnect", "opencode-text-fin": "failed disconnect",
		"opencode-json-fin-once": "completed", "opencode-text-fin-once": "completed",
		"opencode-json-eof": "open runaway", "opencode-text-eof": "open disconnect",
		"opencode-json-sse_error": "failed agent-error", "opencode-text-sse_error": "failed agent-error",
		"opencode-json-maxtok": "failed truncated", "opencode-text-maxtok": "failed truncated",
		"opencode-json-e401": "failed auth", "opencode-text-e401": "failed auth",
		"opencode-json-stall": "open", "opencode-text-stall": "open",
		"opencode-json-int": "open", "opencode-text-int": "open",
		"opencode-json-refused": "failed disconnect", "opencode-json-tool": "completed",

		"qwen-json-normal": "completed", "qwen-text-normal": "completed",
		"qwen-json-fin": "failed disconnect", "qwen-text-fin": "failed disconnect",
		"qwen-json-fin-once": "failed disconnect", "qwen-text-fin-once": "failed disconnect",
		"qwen-json-eof": "failed disconnect", "qwen-text-eof": "failed disconnect",
		"qwen-json-sse_error": "failed agent-error", "qwen-text-sse_error": "failed agent-error",
		"qwen-json-maxtok": "failed truncated", "qwen-text-maxtok": "failed truncated",
		"qwen-json-e401": "failed auth", "qwen-text-e401": "failed auth",
		"qwen-json-stall": "interrupted user", "qwen-text-stall": "interrupted user",
		"qwen-json-int": "interrupted user", "qwen-text-int": "interrupted user",
		"qwen-json-refused": "failed disconnect", "qwen-json-e429": "open limited",
		"qwen-json-tool": "completed",

		"pi-json-normal": "completed", "pi-text-normal": "completed",
		"pi-json-fin": "failed disconnect", "pi-text-fin": "failed disconnect",
		"pi-json-fin-once": "completed", "pi-text-fin-once": "completed",
		"pi-json-eof": "failed disconnect", "pi-text-eof": "failed disconnect",
		"pi-json-sse_error": "failed agent-error", "pi-text-sse_error": "failed agent-error",
		"pi-json-maxtok": "failed truncated", "pi-text-maxtok": "failed truncated",
		"pi-json-e401": "failed auth", "pi-text-e401": "failed auth",
		"pi-json-stall": "open", "pi-text-stall": "-",
		"pi-json-int": "open", "pi-text-int": "-",
		"pi-json-noterm": "failed disconnect", "pi-text-e500": "failed agent-error", "pi-json-tool": "completed",

		// Later versions, and other faults.
		"claude-text-usage": "failed limited", "claude-json-billing": "failed limited", "claude-text-context": "failed truncated",
		"claude-json-overloaded": "failed limited", "claude-text-interrupt": "interrupted user", "claude-text-quoted": "completed",
		"codex-text-usage": "failed limited", "codex-json-context": "failed truncated", "codex-text-quoted": "completed",
		"gemini-text-tool-fin": "failed disconnect", "gemini-text-maxtok-limit": "failed truncated", "gemini-text-empty": "failed disconnect",
		"gemini-text-login": "failed disconnect", "gemini-json-proxy502": "failed disconnect", "gemini-json-usage": "failed limited",
		"gemini-text-interrupt": "interrupted user", "gemini-text-quoted": "completed",
		"qwen-text-maxtok-v24": "failed truncated", "qwen-text-eof-v24": "failed disconnect", "qwen-text-uncounted": "completed",
		"pi-text-eof-v87": "failed disconnect", "pi-text-uncounted": "completed", "pi-json-tool-fin": "failed disconnect",
		"pi-json-context": "failed truncated", "pi-text-quoted": "completed",

		"claude-json-structured": "completed", "claude-text-structured": "completed",
		"claude-text-command": "completed", "claude-text-background": "completed", "claude-text-compact": "completed",

		// With telemetry.
		"gemini-text-filtered-told": "failed agent-error", "gemini-json-filtered-told": "failed agent-error", "gemini-text-maxtok-told": "failed truncated",
		"gemini-text-tool-told": "completed", "gemini-text-eof-once-told": "completed",
		"qwen-text-filtered-told": "failed agent-error", "qwen-json-filtered-told": "failed agent-error", "qwen-text-tool-told": "completed",
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	want := runs()
	files, err := filepath.Glob("testdata/runs/*.txtar")
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files, %d expectations (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := readRun(t, file)
			got, seen := s.judge(t)
			if got != want[name] {
				t.Errorf("judged %q, want %q: json %+v, record %+v, text %+v", got, want[name], seen.JSON, seen.Record, seen.Text)
			}
		})
	}
}

// readRun reads one recorded run.
func readRun(t testing.TB, file string) scene {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		Argv []string
		Exit int
	}
	if err := json.Unmarshal(archive.Comment, &about); err != nil {
		t.Fatal(err)
	}
	s := scene{argv: about.Argv, terminal: strings.Contains(file, "-text-")}
	if about.Exit >= 0 {
		s.exit = &about.Exit
	}
	for _, f := range archive.Files {
		switch f.Name {
		case "json":
			s.json = string(f.Data)
		case "text":
			s.text = string(f.Data)
		case "record":
			s.record = string(f.Data)
		case "telemetry":
			s.telemetry = string(f.Data)
		case "rows":
			s.rows = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		}
	}
	return s
}

// transcripts lists what each transcript of output alone amounts to, without a
// session record: most silent ends cannot be told without one.
func transcripts() map[string]string {
	return map[string]string{
		"codex-json-normal": "completed", "codex-text-normal": "completed", "codex-text-tool-bg": "completed",
		"codex-json-fin": "failed disconnect", "codex-text-fin": "failed disconnect", "codex-tui-fin": "failed disconnect",
		"codex-json-eof": "failed disconnect", "codex-text-eof": "failed disconnect",
		"codex-json-e401": "failed auth", "codex-text-e401": "failed auth",
		"codex-json-e429": "failed limited", "codex-text-e429": "failed limited",
		"codex-json-maxtok": "failed truncated", "codex-text-maxtok": "failed truncated",
		"codex-json-int": "open", "codex-text-int": "interrupted user",
		"codex-json-stall": "open", "codex-text-stall": "interrupted user",
		"codex-json-term": "open", "codex-text-term": "-", "codex-tui-normal": "completed",

		"gemini-json-normal": "completed", "gemini-text-normal": "-", "gemini-text-tool-bg": "-",
		"gemini-json-fin": "failed disconnect", "gemini-text-fin": "failed disconnect",
		"gemini-json-eof": "failed disconnect", "gemini-text-eof": "failed disconnect",
		"gemini-json-e401": "failed auth", "gemini-text-e401": "failed auth",
		"gemini-json-e429": "failed limited", "gemini-text-e429": "failed limited",
		"gemini-json-maxtok": "completed", "gemini-text-maxtok": "-",
		"gemini-json-int": "completed", "gemini-text-int": "interrupted user",
		"gemini-json-stall": "open", "gemini-text-stall": "interrupted user",
		"gemini-json-term": "completed", "gemini-text-term": "-",

		"opencode-json-normal": "completed", "opencode-text-normal": "-", "opencode-text-tool-bg": "-",
		"opencode-json-fin": "failed disconnect", "opencode-text-fin": "failed disconnect",
		"opencode-json-eof": "open disconnect", "opencode-text-eof": "-",
		// The one line of the JSON transcript was shortened when it was taken.
		"opencode-json-e429": "failed agent-error", "opencode-text-e429": "failed limited",
		"opencode-json-maxtok": "failed truncated", "opencode-text-maxtok": "-",
	}
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	want := transcripts()
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files, %d expectations (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := readTranscript(t, file)
			got, seen := s.judge(t)
			if got != want[name] {
				t.Errorf("judged %q, want %q: json %+v, text %+v", got, want[name], seen.JSON, seen.Text)
			}
		})
	}
}

// readTranscript reads one transcript: a head of "key: value" and sections under
// "## " headings.
func readTranscript(t *testing.T, file string) scene {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(b), "\n\n## ")
	s := scene{terminal: !strings.Contains(file, "-json-")}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "command":
			s.argv = strings.Fields(value)
		case "exit":
			if code, err := strconv.Atoi(value); err == nil {
				s.exit = &code
			}
		}
	}
	for section := range strings.SplitSeq("\n## "+rest, "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		switch {
		case strings.HasPrefix(title, "stdout"):
			s.json += body + "\n"
		case strings.HasPrefix(title, "last lines, plain"), strings.HasPrefix(title, "screens"):
			s.text += body
		}
	}
	if len(s.argv) == 0 { // a full-screen run
		agent, _, _ := strings.Cut(filepath.Base(file), "-")
		s.argv = []string{agent}
	}
	return s
}

// TestChunks: however output is cut, the same events come out of it.
func TestChunks(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/runs/*-json-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		s := readRun(t, file)
		a, _ := ByCommand(s.argv)
		in := a.Read(s.argv, false)
		whole := feed(a.Reader(in), s.json, len(s.json))
		if len(whole) == 0 {
			t.Errorf("%s: no events", file)
		}
		for _, size := range []int{1, 7, 4096} {
			if got := feed(a.Reader(in), s.json, size); !slices.Equal(got, whole) {
				t.Errorf("%s in pieces of %d: %v, whole: %v", file, size, got, whole)
			}
		}
	}
}

// feed gives a reader its input in pieces.
func feed(r *Reader, input string, size int) []Event {
	var events []Event
	for piece := range slices.Chunk([]byte(input), max(1, size)) {
		events = append(events, r.Feed(piece)...)
	}
	return append(events, r.Close()...)
}

// TestDocuments: the output that is one JSON document, of which some agents write
// several lines, and some write text before it.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, output, want string }{
		{"claude -p --output-format json x", `{"type":"result","subtype":"success","is_error":false,"stop_reason":"end_turn","session_id":"s"}`, "completed"},
		{"claude -p --output-format json --verbose x", `[{"type":"system","subtype":"init"},{"type":"result","subtype":"error_max_turns","is_error":true}]`, "failed truncated"},
		{"gemini -o json -p x", "YOLO mode is enabled.\r\n{\r\n  \"session_id\": \"s\",\r\n  \"response\": \"done\",\r\n  \"stats\": {}\r\n}\r\n", "completed"},
		{"gemini -o json -p x", "{\n  \"response\": \"half\",\n  \"error\": {\n    \"message\": \"Model stream ended without a finish reason.\"\n  }\n}", "failed disconnect"},
		{"gemini -o json -p x", "{\n  \"error\": {\"code\": 401, \"message\": \"no\"}\n}", "failed auth"},
		{"qwen -o json -p x", `[{"type":"system","subtype":"init"},{"type":"result","subtype":"success","result":"half [API Error: terminated]"}]`, "failed disconnect"},
		{"gemini -o json -p x", "", "-"},
	} {
		got, _ := scene{argv: strings.Fields(c.command), json: c.output}.judge(t)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.output, got, c.want)
		}
	}
}
