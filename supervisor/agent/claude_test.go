package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// claudeOf is what a record of Claude Code of that version amounts to; of each entry
// only what differs is given.
func claudeOf(t *testing.T, version string, entries ...string) string {
	t.Helper()
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(`{"isSidechain":false,"sessionId":"s","version":"` + version + `",` + e + "}\n")
	}
	path := filepath.Join(t.TempDir(), "s.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := claude().ReadRecord(Record{Path: path}, time.Time{})
	said := string(s.Turn) + " " + string(s.Cause)
	if s.Presumed {
		said += " presumed"
	}
	return strings.Join(strings.Fields(said), " ")
}

// user is an entry of what somebody wrote in a person's name.
func user(text string) string {
	return `"type":"user","message":{"role":"user","content":` + quote(text) + `}`
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

const (
	claudeRuns = `"type":"assistant","message":{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{}}],"stop_reason":"tool_use"}`
	claudeRan  = `"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"hi"}]},"toolUseResult":{"stdout":"hi"}`
)

// TestClaudeStructured: an answer that is data ends the turn with a call and its result.
func TestClaudeStructured(t *testing.T) {
	t.Parallel()
	const (
		gives   = `"type":"assistant","message":{"role":"assistant","content":[{"type":"tool_use","id":"t0","name":"StructuredOutput","input":{"a":"x"}}],"stop_reason":"tool_use"}`
		given   = `"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t0","content":"Structured output provided successfully"}]},"toolUseResult":"Structured output provided successfully"`
		ends    = given + `,"toolEndsTurn":true`
		refused = `"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t0","is_error":true,"content":"Output does not match required schema"}]},"toolUseResult":"Error: Output does not match required schema"`
	)
	for _, c := range []struct {
		name    string
		entries []string
		want    string
	}{
		{"given", []string{gives, ends}, "completed"},
		{"given, not said to be the end", []string{gives, given}, "completed presumed"},
		{"not yet given", []string{gives}, "open"},
		{"refused", []string{gives, refused}, "open"},
		{"asked once more behind it", []string{gives, given, claudeRuns}, "open"},
		{"beside another call", []string{gives, claudeRuns, ends, claudeRan}, "completed"},
		{"and the next question", []string{gives, ends, user("more")}, "open"},
		{"a call of the next question", []string{gives, ends, user("more"), claudeRuns, claudeRan}, "open"},
	} {
		if got := claudeOf(t, "2.1.330", append([]string{user("hi")}, c.entries...)...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestClaudeWithoutReasons: versions that give no stop reason are believed to have
// answered where nothing follows their text.
func TestClaudeWithoutReasons(t *testing.T) {
	t.Parallel()
	const (
		thinks = `"type":"assistant","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"}],"stop_reason":null}`
		says   = `"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"Done."}],"stop_reason":null}`
		calls  = `"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"Now"},{"type":"tool_use","id":"t1","name":"Bash"}],"stop_reason":null}`
		fails  = `"type":"assistant","isApiErrorMessage":true,"message":{"model":"<synthetic>","content":[{"type":"text","text":"API Error: Connection error."}],"stop_reason":"stop_sequence"}`
	)
	for _, c := range []struct {
		name, version string
		entries       []string
		want          string
	}{
		{"answered", "2.1.20", []string{thinks, says}, "completed presumed"},
		{"answered behind a tool", "2.0.76", []string{says, calls, claudeRan, says}, "completed presumed"},
		{"asked", "2.1.99", nil, "open"},
		{"thinking", "2.1.99", []string{thinks}, "open"},
		{"at a tool", "1.0.128", []string{says, calls}, "open"},
		{"a tool was run", "1.0.128", []string{says, calls, claudeRan}, "open"},
		{"broken off", "2.1.20", []string{says, fails}, "failed disconnect"},
		{"broken off, of a version that gives reasons", "2.1.1000", []string{says}, "open disconnect"},
	} {
		if got := claudeOf(t, c.version, append([]string{user("hi")}, c.entries...)...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestClaudeResults: what the last value of the JSON output says.
func TestClaudeResults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, result, want string }{
		{"data", `"subtype":"success","is_error":false,"stop_reason":"tool_use","terminal_reason":"completed","result":"{}","structured_output":{"a":"x"}`, "completed"},
		{"data, of an older version", `"subtype":"success","is_error":false,"stop_reason":"tool_use","result":"","structured_output":{"a":"x"}`, "completed"},
		{"a tool ended it", `"subtype":"success","is_error":false,"stop_reason":"tool_use","terminal_reason":"completed","result":""`, "completed"},
		{"at a tool", `"subtype":"success","is_error":false,"stop_reason":"tool_use","result":""`, "open"},
		{"at a tool, without data", `"subtype":"success","is_error":false,"stop_reason":"tool_use","result":"","structured_output":null`, "open"},
		{"no more turns", `"subtype":"error_max_turns","is_error":true,"stop_reason":"tool_use","terminal_reason":"max_turns"`, "failed truncated"},
		{"no data in the end", `"subtype":"error_max_structured_output_retries","is_error":true,"stop_reason":"tool_use","structured_output":{"a":1}`, "failed agent-error"},
		{"broken off", `"subtype":"success","is_error":false,"stop_reason":null,"terminal_reason":"completed","result":"half"`, "failed disconnect"},
		{"too long", `"subtype":"success","is_error":false,"stop_reason":"max_tokens","terminal_reason":"completed","result":"half"`, "failed truncated"},
		{"an error", `"subtype":"success","is_error":true,"stop_reason":"end_turn","result":"API Error: 529 overloaded"`, "failed limited"},
		{"an error, not marked", `"subtype":"success","is_error":false,"stop_reason":"stop_sequence","result":"API Error: 529 overloaded"`, "failed limited"},
		{"an error, without a reason", `"subtype":"success","is_error":false,"stop_reason":null,"result":"API Error: 529 overloaded"`, "failed limited"},
	} {
		output := `{"type":"system","subtype":"init","session_id":"s"}` + "\n" + `{"type":"result",` + c.result + "}\n"
		got, _ := scene{argv: []string{"claude", "-p", "--output-format", "stream-json", "x"}, json: output}.judge(t)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
