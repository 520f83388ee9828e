package render

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExecutionJSON(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]Execution{"execution_least.json": running(), "execution_most.json": unfinished(), "execution_lights.json": lit("limited")} {
		got, err := ExecutionJSON(e)
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, name, string(got))
	}
}

func TestExecutionsJSON(t *testing.T) {
	t.Parallel()
	for name, all := range map[string][]Execution{"executions_none.json": nil, "executions.json": {running()}} {
		got, err := ExecutionsJSON(all)
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, name, string(got))
	}
}

// TestContractFields holds the object to the contract: these fields, in this
// order, present in the emptiest run too.
func TestContractFields(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`schema_version uid parent_uid flow_id resumed_from name attempts awaits_user_since waits_for waits_until source command workspace agent
		agent_session_id pid started_at ended_at awake_ms suspended_ms last_heartbeat_at liveness lights process workflow turn
		outcome cause evidence leftovers resume recording`)
	for _, e := range []Execution{running(), unfinished(), lit("working")} {
		b, err := ExecutionJSON(e)
		if err != nil {
			t.Fatal(err)
		}
		if got := keys(t, b); !slices.Equal(got, want) {
			t.Errorf("fields are %q, want %q", got, want)
		}
		var o map[string]json.RawMessage
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		nested := map[string]string{
			"process": "end exit_code signal core_dumped stopped_by", "turn": "state", "leftovers": "stopped kept remaining",
		}
		if e.Workflow != nil {
			nested["workflow"] = "id kind source completeness phase round"
			nested["resume"] = "command"
		}
		if e.Lights != nil {
			nested["lights"] = "activity beating processes output turn limited_until dead_connection usage"
		}
		for field, want := range nested {
			if got := keys(t, o[field]); !slices.Equal(got, strings.Fields(want)) {
				t.Errorf("fields of %s are %q, want %q", field, got, want)
			}
		}
		for _, list := range []string{"command", "evidence"} {
			if o[list][0] != '[' {
				t.Errorf("%s is %s, want a list", list, o[list])
			}
		}
	}
}

// keys lists the fields of an object in the order they are written.
func keys(t *testing.T, object []byte) []string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(object)))
	var found []string
	depth, key := 0, true
	for {
		tok, err := d.Token()
		if err != nil {
			return found
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				depth++
			} else {
				depth--
			}
			key = true
		case string:
			if depth == 1 && key {
				found = append(found, tok)
				key = false
				continue
			}
			key = true
		default:
			key = true
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	stopped, gone := running(), running()
	stopped.Liveness, stopped.Name, stopped.AwakeMS = "stopped", new("編集"), new(int64(3_723_000))
	gone.Liveness, gone.Workspace, gone.Workflow = "gone", new("/w\x1b"), unfinished().Workflow
	blind := running()
	blind.Lights = &Lights{Activity: "unknown", Beating: Light{Lit: new(true)}}
	live := []Execution{
		running(), stopped, gone, blind, lit("working"), lit("quiet"), lit("idle"), lit("waiting"), lit("limited"), lit("asleep"), lit("disconnected"),
	}
	ended := append([]Execution{unfinished()}, others()...)
	tests := []struct{ name, got string }{
		{"ps.txt", PS(Style{}, live)},
		{"ps_color.txt", PS(Style{Color: true, Columns: 80}, live)},
		{"ps_none.txt", PS(Style{}, nil)},
		{"history.txt", History(Style{}, ended)},
		{"history_narrow.txt", History(Style{Columns: 130}, ended)},
		{"history_none.txt", History(Style{}, nil)},
	}
	for _, tt := range tests {
		checkGolden(t, tt.name, tt.got)
	}
}

// TestTableNeverCutsWhatMatters checks that however narrow the terminal, uid,
// outcome and cause are whole.
func TestTableNeverCutsWhatMatters(t *testing.T) {
	t.Parallel()
	for columns := range 200 {
		text := History(Style{Columns: columns}, []Execution{unfinished()})
		for _, want := range []string{"aabbccdd", "incomplete", "sleep", "review 1/reviews", "nightly"} {
			if !strings.Contains(text, want) {
				t.Fatalf("%d columns: no %q in\n%s", columns, want, text)
			}
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	checkGolden(t, "show_least.txt", Show(Style{NowMS: noon}, running()))
	checkGolden(t, "show_lights.txt", Show(Style{NowMS: noon}, lit("limited")))
	checkGolden(t, "show_most.txt", Show(Style{NowMS: noon}, unfinished()))
	checkGolden(t, "show_color.txt", Show(Style{NowMS: noon, Color: true}, unfinished()))
	for _, e := range others() {
		checkGolden(t, "show_"+*e.Cause+".txt", Show(Style{}, e))
	}
}

// TestUnknownCause checks that a person is spared a cause that says nothing, and
// that a program is not.
func TestUnknownCause(t *testing.T) {
	t.Parallel()
	e := running()
	e.Liveness, e.Outcome, e.Cause = "ended", "failed", new("unknown")
	e.Process, e.AwakeMS = Process{End: "exited", ExitCode: new(3)}, new(int64(1000))
	ended := EventText(Style{}, Event{At: "t", Type: "execution_ended", UID: &e.UID, Outcome: &e.Outcome, Cause: e.Cause})
	for text, want := range map[string]string{
		Receipt(Style{}, e):              "ocr-run: failed · exited 3 · 1.0s awake · show 1f0c9a2e\n",
		Show(Style{}, e):                 "1f0c9a2e  failed\n",
		History(Style{}, []Execution{e}): "  failed   -      3     1.0s ",
		ended:                            "execution_ended      failed\n",
	} {
		if !strings.Contains(text, want) || strings.Contains(text, "unknown") {
			t.Errorf("%q lacks %q", text, want)
		}
	}
	if b, err := ExecutionJSON(e); err != nil || !strings.Contains(string(b), `"cause": "unknown"`) {
		t.Errorf("JSON: %s, %v", b, err)
	}
}

// TestUnreadableWork: work that nobody knows the name of has none, and of work that was
// lost with its ledger nobody is asked.
func TestUnreadableWork(t *testing.T) {
	t.Parallel()
	e := unfinished()
	e.Resume, e.Successor, e.Workflow = nil, nil, &Workflow{Source: "ledger", Completeness: "unreadable"}
	if text := Receipt(Style{}, e); !strings.Contains(text, "work          unreadable\n") {
		t.Errorf("%q names work that nobody knows", text)
	}
	e.Workflow.Kind, e.Workflow.ID = "review", "s1"
	if text := Receipt(Style{}, e); !strings.Contains(text, "review s1: unreadable\n") || !strings.Contains(text, "next          run it again") {
		t.Errorf("%q sends to work that is lost", text)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	all := []Event{
		{Seq: 1, At: Time(noon), Type: "execution_started", UID: new("01975e3a-0000-7000-8000-00001f0c9a2e")},
		{Seq: 2, At: Time(noon), Type: "phase_transition", WorkflowID: new("s1"), Phase: new("reviews"), Round: new(2), Payload: json.RawMessage("{}")},
		{Seq: 3, At: Time(noon), Type: "slept", UID: new("u"), Payload: json.RawMessage(`{"suspended_ms":4000}`)},
		{Seq: 4, At: Time(noon), Type: "execution_ended", UID: new("u"), WorkflowID: new("s1"), Outcome: new("failed"), Cause: new("oom"), Payload: json.RawMessage(`broken`)},
		{Seq: 5, At: Time(noon), Type: "session_state", TurnID: new("t")},
	}
	var text, lines strings.Builder
	for _, e := range all {
		text.WriteString(EventText(Style{Color: e.Seq == 4}, e))
		b, err := EventJSON(e)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(b)
	}
	checkGolden(t, "events.txt", text.String())
	checkGolden(t, "events.jsonl", lines.String())
}

func TestStyleFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		terminal      bool
		noColor, term string
		color         bool
		columns       int
	}{
		{"terminal", true, "", "xterm", true, 80},
		{"no color", true, "1", "xterm", false, 80},
		{"dumb", true, "", "dumb", false, 80},
		{"pipe", false, "", "xterm", false, 0},
	}
	for _, tt := range tests {
		got := StyleFor(tt.terminal, 80, tt.noColor, tt.term, 1)
		if got != (Style{Color: tt.color, Columns: tt.columns, NowMS: 1}) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		words []string
		want  string
	}{
		{nil, ""},
		{[]string{"ls", "-l", "a/b.c", "x=1", "é"}, "ls -l a/b.c x=1 é"},
		{[]string{"echo", ""}, "echo ''"},
		{[]string{"sh", "-c", "a b; c"}, "sh -c 'a b; c'"},
		{[]string{"it's"}, `'it'\''s'`},
		{[]string{"a\nb'\\"}, `$'a\nb\'\\'`},
		{[]string{"\x1b[2J"}, `$'\x1b[2J'`},
		{[]string{"\xff"}, `$'\xff'`},
		{[]string{"a\u202eb"}, `$'a\u202eb'`},
		{[]string{"~", "$HOME", "*"}, "'~' '$HOME' '*'"},
	}
	for _, tt := range tests {
		if got := CommandLine(tt.words); got != tt.want {
			t.Errorf("CommandLine(%q) = %s, want %s", tt.words, got, tt.want)
		}
	}
}

// FuzzPlain checks that nothing reaches a terminal that it would act upon.
func FuzzPlain(f *testing.F) {
	f.Add("plain")
	f.Add("a\x1b]0;x\x07\u009b\xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Plain(s), CommandLine([]string{s}), Truncate(Plain(s), 7)} {
			if strings.ContainsFunc(got, func(r rune) bool { return r != '…' && unprintable(r) }) {
				t.Errorf("%q became %q", s, got)
			}
		}
		if n := Width(Truncate(s, 7)); n > 7 {
			t.Errorf("Truncate(%q, 7) takes %d columns", s, n)
		}
	})
}

func TestWidth(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"": 0, "abc": 3, "日本": 4, "e\u0301": 1, "한": 2, "🙂": 2, "é": 1, "…": 1, "ｱ": 1, "Ａ": 2} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		s       string
		columns int
		want    string
	}{
		{"abcdef", 0, "abcdef"},
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcd…"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"abc", 1, "…"},
	}
	for _, tt := range tests {
		if got := Truncate(tt.s, tt.columns); got != tt.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", tt.s, tt.columns, got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0s"},
		{0, "0.0s"},
		{1234 * time.Millisecond, "1.2s"},
		{9999 * time.Millisecond, "9.9s"},
		{59 * time.Second, "59s"},
		{time.Minute, "1m"},
		{3*time.Minute + 12*time.Second, "3m12s"},
		{2 * time.Hour, "2h"},
		{2*time.Hour + 59*time.Second, "2h"},
		{25 * time.Hour, "1d1h"},
		{48 * time.Hour, "2d"},
	}
	for _, tt := range tests {
		if got := Span(tt.d); got != tt.want {
			t.Errorf("Span(%v) = %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestShortUID(t *testing.T) {
	t.Parallel()
	for uid, want := range map[string]string{"": "", "abc": "abc", "0123456789": "23456789"} {
		if got := ShortUID(uid); got != want {
			t.Errorf("ShortUID(%q) = %q, want %q", uid, got, want)
		}
	}
}
