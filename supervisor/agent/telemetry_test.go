package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asked is what Qwen Code writes of one request.
func asked(session, between string, reasons ...string) string {
	list := "[]"
	if len(reasons) > 0 {
		list = `["` + strings.Join(reasons, `", "`) + `"]`
	}
	return fmt.Sprintf("{\n  \"kind\": 0,\n  \"attributes\": {\n    \"session.id\": %q,\n    \"qwen-code.prompt_id\": %q,\n    \"gen_ai.response.finish_reasons\": %s\n  },\n  \"name\": \"qwen-code.llm_request\"\n}\n",
		session, session+between+"0", list)
}

// pieces is the same of an answer that came in many pieces, the last of which was cut.
func pieces(session string, n int) string {
	return strings.Replace(asked(session, mainPrompt, "length"), `"length"`, "\n"+strings.Repeat("      \"stop\",\n", n)+`      "length"`+"\n    ", 1)
}

const mainPrompt, helperPrompt = "########", "#memory-1#"

// noise is what lies between: a value whose strings hold braces, and one that is too
// long to be kept.
func noise() string {
	return "{\n  \"body\": \"{\\n}\\n\",\n  \"list\": [\n    {\n      \"a\": 1\n    }\n  ]\n}\n{\n  \"prompt\": \"" + strings.Repeat("x", 2*blockMost) + "\"\n}\n"
}

func TestTelemetryTellsOfTheLastAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		written, session string
		want             Cause
	}{
		"nothing":               {"", "s", ""},
		"whole":                 {asked("s", mainPrompt, "stop"), "s", ""},
		"a call":                {asked("s", mainPrompt, "tool_calls"), "s", ""},
		"cut short":             {asked("s", mainPrompt, "length"), "s", CauseTruncated},
		"filtered":              {noise() + asked("s", mainPrompt, "content_filter") + noise(), "s", CauseAgentError},
		"one of two":            {asked("s", mainPrompt, "stop", "SAFETY"), "s", CauseAgentError},
		"failed":                {asked("s", mainPrompt, "error"), "s", ""},
		"a word nobody knows":   {asked("s", mainPrompt, "paused"), "s", ""},
		"continued":             {asked("s", mainPrompt, "length") + asked("s", mainPrompt, "stop"), "s", ""},
		"then failed":           {asked("s", mainPrompt, "length") + asked("s", mainPrompt), "s", ""},
		"of a helper":           {asked("s", helperPrompt, "length"), "s", ""},
		"before a helper":       {asked("s", mainPrompt, "length") + asked("s", helperPrompt, "stop"), "s", CauseTruncated},
		"of another session":    {asked("s", mainPrompt, "stop") + asked("t", mainPrompt, "length"), "s", ""},
		"before another":        {asked("s", mainPrompt, "length") + asked("t", mainPrompt, "stop"), "s", CauseTruncated},
		"of no name":            {asked("s", mainPrompt, "length") + asked("t", mainPrompt, "stop"), "", CauseTruncated},
		"in many pieces":        {asked("s", mainPrompt, "stop") + pieces("s", 20_000), "s", CauseTruncated},
		"of a name not told":    {asked("s", mainPrompt, "length") + asked("t", mainPrompt, "stop"), "latest", CauseTruncated},
		"on one line":           {`{"name":"qwen-code.llm_request","attributes":{"session.id":"s","qwen-code.prompt_id":"s########3","gen_ai.response.finish_reasons":["MAX_TOKENS"]}}` + "\n", "s", CauseTruncated},
		"not finished":          {strings.TrimSuffix(asked("s", mainPrompt, "length"), "}\n"), "s", ""},
		"after a torn one":      {"{\n  \"kind\": 0,\n  \"attributes\": {\n" + asked("s", mainPrompt, "length"), "s", CauseTruncated},
		"begun in the middle":   {asked("t", mainPrompt, "stop")[40:] + asked("s", mainPrompt, "length"), "s", CauseTruncated},
		"reasons are no list":   {strings.Replace(asked("s", mainPrompt, "length"), `["length"]`, `"length"`, 1), "s", ""},
		"garbage":               {"}\n]\n{\n}\n{]\n\x00\n", "s", ""},
		"with carriage returns": {strings.ReplaceAll(asked("s", mainPrompt, "length"), "\n", "\r\n"), "s", CauseTruncated},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			if len(c.written) > blockMost && size == 1 {
				continue
			}
			r := qwen().TelemetryReader(Invocation{Mode: ModeHeadless})
			for at := 0; at < len(c.written); at += size {
				r.Feed([]byte(c.written[at:min(at+size, len(c.written))]))
			}
			got := r.Standing(c.session)
			if got.Cause != c.want || (got.Turn == TurnFailed) != (c.want != "") {
				t.Errorf("%s in pieces of %d: %+v, want %q", name, size, got, c.want)
			}
			if len(r.blocks.line) > blockMost || len(r.blocks.block) > blockMost {
				t.Errorf("%s: %d and %d bytes kept", name, len(r.blocks.line), len(r.blocks.block))
			}
		}
	}
}

func TestTelemetryForgetsNoSessionAndHoardsNone(t *testing.T) {
	t.Parallel()
	r := qwen().TelemetryReader(Invocation{Mode: ModeHeadless})
	r.Feed([]byte(asked("mine", mainPrompt, "length")))
	for i := range 2 * sessionsMost {
		r.Feed([]byte(asked(fmt.Sprint("other-", i), mainPrompt, "stop")))
	}
	if len(r.last) != sessionsMost || r.Standing("").Cause != CauseTruncated || r.Standing("mine").Session != "mine" {
		t.Errorf("%d sessions, %+v", len(r.last), r.Standing(""))
	}
}

// On a screen one session can be left for another: which was the last nobody knows.
func TestTelemetryOfNoNameIsOfTheOnlySession(t *testing.T) {
	t.Parallel()
	r := qwen().TelemetryReader(Invocation{Mode: ModeInteractive})
	r.Feed([]byte(asked("s", mainPrompt, "length")))
	if got := r.Standing(""); got.Cause != CauseTruncated || got.Session != "s" {
		t.Errorf("of one: %+v", got)
	}
	r.Feed([]byte(asked("t", mainPrompt, "stop")))
	if got := r.Standing(""); got != (Standing{}) {
		t.Errorf("of two: %+v", got)
	}
	if got := r.Standing("s"); got.Cause != CauseTruncated {
		t.Errorf("by its name: %+v", got)
	}
}

// Of an agent that did not end well, the last of its telemetry may be missing.
func TestTelemetryIsBelievedAfterAGoodEnd(t *testing.T) {
	t.Parallel()
	a := qwen()
	seen := Seen{
		Invocation: a.Read([]string{"qwen", "-p", "x"}, false),
		Telemetry:  Standing{Turn: TurnFailed, Cause: CauseTruncated},
		JSON:       Standing{Turn: TurnFailed, Cause: CauseDisconnect},
	}
	for exit, want := range map[int][]Source{0: {SourceTelemetry, SourceJSON}, 1: {SourceJSON}} {
		seen.Exit = &exit
		var got []Source
		for _, e := range a.Verdict(seen) {
			got = append(got, e.Source)
		}
		if !slices.Equal(got, want) {
			t.Errorf("exit %d: %q, want %q", exit, got, want)
		}
	}
	seen.Exit = nil
	if got := a.Verdict(seen); len(got) != 1 || got[0].Source != SourceJSON {
		t.Errorf("killed: %+v", got)
	}
}

func TestTelemetryIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, a := range append(All(), Generic()) {
		got := a.Telemetry("/state/f")
		all := strings.Join(got, " ")
		switch a.Name {
		case "qwen", "gemini":
			if !strings.Contains(all, "_TELEMETRY_OUTFILE=/state/f") || !strings.Contains(all, "_LOG_PROMPTS=false") || a.Tells("/nowhere") != TellsLoudly {
				t.Errorf("%s: %q, %d", a.Name, got, a.Tells("/nowhere"))
			}
		default:
			if got != nil || a.Tells("/nowhere") != TellsNothing {
				t.Errorf("%s: %q, %d", a.Name, got, a.Tells("/nowhere"))
			}
		}
		a.TelemetryReader(Invocation{}).Feed([]byte(asked("s", mainPrompt, "length")))
	}
}

// Whoever has arranged the telemetry himself, in whatever way, is left alone.
func TestTelemetryIsArranged(t *testing.T) {
	t.Parallel()
	const on = `{"telemetry": {"enabled": true}}`
	for name, c := range map[string]struct {
		argv, file, text, env, system string
		want                          bool
	}{
		"not":                     {want: false},
		"on the command line":     {argv: "--telemetry-target=gcp", want: true},
		"off on the command line": {argv: "--no-telemetry", want: true},
		"in a prompt":             {argv: "-p=telemetry", want: false},
		"by a variable":           {env: "QWEN_TELEMETRY_ENABLED=false", want: true},
		"by one for all":          {env: "OTEL_EXPORTER_OTLP_ENDPOINT=http://x", want: true},
		"by one of another":       {env: "GEMINI_TELEMETRY_ENABLED=true", want: false},
		"at home":                 {file: "home/.qwen/settings.json", text: on, want: true},
		"at another home":         {file: "other/settings.json", text: on, env: "QWEN_HOME=other", want: true},
		"not at that home":        {file: "home/.qwen/settings.json", text: on, env: "QWEN_HOME=other", want: false},
		"in the project":          {file: "work/.qwen/settings.json", text: on, want: true},
		"above the project":       {file: ".qwen/settings.json", text: on, want: true},
		"for all users":           {file: "etc/settings.json", text: on, system: "etc/settings.json", want: true},
		"in a file of variables":  {file: "work/.env", text: "export QWEN_TELEMETRY_TARGET=gcp\n", want: true},
		"at home among variables": {file: "home/.qwen/.env", text: "OTEL_LOG_LEVEL=info\n", want: true},
		"that of another program": {file: "work/.env", text: "NEXT_TELEMETRY_DISABLED=1\n", want: false},
		"other settings":          {file: "work/.qwen/settings.json", text: `{"privacy": {"usageStatisticsEnabled": false}}`, want: false},
	} {
		root := t.TempDir()
		if c.file != "" {
			path := filepath.Join(root, c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		a := qwen()
		key, value, _ := strings.Cut(c.env, "=")
		if key == "QWEN_HOME" {
			value = filepath.Join(root, value)
		}
		place := Place{Dir: filepath.Join(root, "work"), Home: filepath.Join(root, "home"), Env: func(name string) string {
			if name == key {
				return value
			}
			return ""
		}}
		in := a.Read(append([]string{"qwen"}, strings.Fields(c.argv)...), false)
		if got := a.Arranged(in, place, []string{"PATH=/bin", c.env}, []string{filepath.Join(root, c.system)}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A file of variables may be a pipe that a keeper of secrets writes to when it is
// asked, and that nobody writes to otherwise.
func TestTelemetryWaitsForNoPipe(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(root, ".env"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := qwen()
	done := make(chan bool)
	go func() { done <- a.Arranged(a.Read([]string{"qwen"}, false), Place{Dir: root, Home: root}, nil, nil) }()
	select {
	case arranged := <-done:
		if arranged {
			t.Error("a pipe arranges telemetry")
		}
	case <-time.After(10 * time.Second):
		t.Error("a pipe holds it up")
		if f, err := os.OpenFile(filepath.Join(root, ".env"), os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
	}
}
