package agent

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// split gives input in pieces of a size and lists the values found.
func split(input string, size int, document bool) []string {
	v := values{document: document}
	var found []string
	each := func(b []byte) { found = append(found, string(b)) }
	for piece := range slices.Chunk([]byte(input), max(1, size)) {
		v.feed(piece, each)
	}
	v.end(each)
	return found
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, input string
		document    bool
		want        []string
	}{
		{"lines", "{\"a\":1}\n{\"b\":2}\n", false, []string{`{"a":1}`, `{"b":2}`}},
		{"last newline missing", `{"a":1}`, false, []string{`{"a":1}`}},
		{"garbage", "hello\n{\"a\":1}\n  more {\n\n", false, []string{`{"a":1}`}},
		{"windows", "{\"a\":1}\r\n", false, []string{"{\"a\":1}\r"}},
		{"braces in a string", "{\"a\":\"}{\\\"\"}\n", false, []string{`{"a":"}{\""}`}},
		{"a broken line does not swallow the next", "{\"a\":\"x\n{\"b\":2}\n", false, []string{`{"a":"x`, `{"b":2}`}},
		{"document", "{\n \"a\": {\n \"b\": 1}\n}\n", true, []string{"{\n \"a\": {\n \"b\": 1}\n}"}},
		{"text before a document", "Warning {x\n{\n\"a\":1}\n", true, []string{"{\n\"a\":1}"}},
		{"array", "[{\"a\":1},\n{\"b\":2}]\n", true, []string{`{"a":1}`, `{"b":2}`}},
		{"array in one line", `[{"a":1},{"b":2}]`, false, []string{`{"a":1}`, `{"b":2}`}},
		{"broken array", `[{"a":1},{"b"`, false, nil},
	} {
		if got := split(c.input, len(c.input), c.document); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLongStrings: of a long string its start and its end are kept, and the value
// stays one that can be read.
func TestLongStrings(t *testing.T) {
	t.Parallel()
	for _, filling := range []string{"word ", `\" `, `\\\\ `, `é `, "x", `\\`} {
		for extra := range 8 {
			input := `{"type":"result","result":"` + strings.Repeat("a", extra) + strings.Repeat(filling, 40_000/len(filling)) + ` [API Error: terminated]","is_error":true}`
			got := split(input+"\n", 1000, false)
			if len(got) != 1 || !json.Valid([]byte(got[0])) || len(got[0]) > 10_000 {
				t.Fatalf("%q: %d values, %.60q", filling, len(got), got)
			}
			var v struct {
				Result string
				Error  bool `json:"is_error"`
			}
			decode([]byte(got[0]), &v)
			if !v.Error || !strings.HasSuffix(v.Result, " [API Error: terminated]") || !strings.HasPrefix(v.Result, "a") && extra > 0 {
				t.Errorf("%q: %.40q … %q", filling, v.Result, v.Result[max(0, len(v.Result)-30):])
			}
		}
	}
}

// TestHugeValue: a value that is too long is read as far as its plain fields go.
func TestHugeValue(t *testing.T) {
	t.Parallel()
	input := `{"type":"result","is_error":true,"list":[` + strings.Repeat(`{"a":1},`, 400_000) + `{}]}` + "\n"
	var v struct {
		Type  string
		Error bool `json:"is_error"`
	}
	got := split(input, 1<<16, false)
	if len(got) != 1 || len(got[0]) > valueMost {
		t.Fatalf("%d values", len(got))
	}
	if decode([]byte(got[0]), &v); v.Type != "result" || !v.Error {
		t.Errorf("read as %+v", v)
	}
}

// FuzzReader: whatever an agent writes, however it is cut, a reader finds the
// same events, keeps little, and never finds a turn settled that did not begin.
func FuzzReader(f *testing.F) {
	for _, name := range []string{"claude-json-e429", "codex-json-fin-once", "gemini-json-eof", "opencode-json-eof", "qwen-json-fin", "pi-json-fin"} {
		f.Add([]byte(readRunFile(f, name)), uint8(3), false)
	}
	f.Add([]byte("{\"session_id\":\"x\",\n\"response\":\"y\"}"), uint8(2), true)
	f.Fuzz(func(t *testing.T, input []byte, size uint8, document bool) {
		for _, a := range append(All(), Generic()) {
			in := Invocation{Agent: a.Name, Mode: ModeHeadless, Output: OutputLines}
			if document {
				in.Output = OutputDocument
			}
			whole := feed(a.Reader(in), string(input), len(input))
			r := a.Reader(in)
			if got := feed(r, string(input), int(size)); !slices.Equal(got, whole) {
				t.Fatalf("%s in pieces of %d: %v, whole: %v", a.Name, size, got, whole)
			}
			if n := cap(r.values.kept) + cap(r.values.tail); n > 2*valueMost+4*endMost {
				t.Fatalf("%s keeps %d bytes", a.Name, n)
			}
			wellFormed(t, whole)
		}
	})
}

// wellFormed checks that turns begin before they end and never overlap.
func wellFormed(t *testing.T, events []Event) {
	t.Helper()
	open := ""
	for _, e := range events {
		switch e.Type {
		case EventSessionStarted:
		case EventTurnStarted:
			if open != "" {
				t.Fatalf("%s began while %s was open", e.Turn, open)
			}
			open = e.Turn
		case EventTurnCompleted, EventTurnAborted:
			if e.Turn != open {
				t.Fatalf("%s ended while %q was open", e.Turn, open)
			}
			open = ""
		case EventRetrying:
			if e.Turn != open {
				t.Fatalf("%s is tried again while %q is open", e.Turn, open)
			}
		}
		if len(e.Detail) > detailMost {
			t.Fatalf("detail of %d bytes", len(e.Detail))
		}
	}
}

// FuzzText: no tail of text is too strange to be read.
func FuzzText(f *testing.F) {
	f.Add("ERROR: Reconnecting... 1/5\nERROR: stream disconnected\ntokens used\n15\n")
	f.Add("✕ [API Error: terminated]\r\n│ gemini --resume \n")
	f.Fuzz(func(t *testing.T, tail string) {
		for _, a := range append(All(), Generic()) {
			for _, mode := range []Mode{ModeHeadless, ModeInteractive} {
				s := a.Text(tail, Invocation{Agent: a.Name, Mode: mode})
				if s.Turn == TurnFailed && s.Cause == "" || len(s.Detail) > detailMost {
					t.Fatalf("%s: %+v", a.Name, s)
				}
			}
		}
	})
}

// readRunFile is the JSON output of a recorded run.
func readRunFile(tb testing.TB, name string) string {
	tb.Helper()
	return readRun(tb, "testdata/runs/"+name+".txtar").json
}
