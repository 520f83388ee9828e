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
	claudeRan = `"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"hi"}]},"toolUseResult":{"stdout":"hi"}`
)

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
