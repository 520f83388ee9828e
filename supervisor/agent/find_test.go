package agent

import (
	"strings"
	"testing"
	"time"
)

// claudeRecord is a history of Claude Code that begins with a question.
func (h home) claudeRecord(at, entrypoint, asked string) string {
	return `{"type":"queue-operation","timestamp":"` + at + `"}
{"type":"user","cwd":"` + h.Dir + `","timestamp":"` + at + `","entrypoint":"` + entrypoint + `","message":{"role":"user","content":"` + asked + `"}}
`
}

// moments of a record in the tests.
const (
	longAgo = "2026-11-20T12:00:00Z"
	inRun   = "2026-11-21T12:00:01Z"
)

// TestFindByQuestion: of several records that a headless run may have written its own
// is the one in which its question stands, and that of another is none.
func TestFindByQuestion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		// ours, theirs are the questions in two records; empty for no record.
		ours, theirs string
		found        bool
	}{
		{"claude -p|fix the tests", "fix the tests", "review the branch", true},
		{"claude -p|fix the\n  tests", `fix the\n tests\n\nand what came in`, "review the branch", true},
		{"claude -p|fix the tests", "", "review the branch", false},
		{"claude -p|fix the tests", "fix the tests", "fix the tests", false},
		{"claude -p|/fix the tests", "", "<command-name>/fix", true}, // it says nothing
		{"claude -p|fix @main.go", "", "fix the file", true},
		{"claude -p", "", "review the branch", true},
		{"claude -p", "fix the tests", "review the branch", false},
		{"claude -p --unheard of|fix the tests", "fix the tests", "review the branch", true},
		{"claude -p|fix the tests", "", strings.Repeat("review ", 400), true},
	} {
		h := newHome(t)
		dir := ".claude/projects/" + dashed(h.Dir)
		want := ""
		for name, asked := range map[string]string{"ours": c.ours, "theirs": c.theirs} {
			if asked != "" {
				h.write(dir+"/"+name+"-1-1.jsonl", h.claudeRecord(inRun, "sdk-cli", asked), time.Minute)
			}
			if c.found && asked != "" && (name == "ours" || c.ours == "") {
				want = dir + "/" + name + "-1-1.jsonl"
			}
		}
		words, asked, _ := strings.Cut(c.args, "|")
		argv := strings.Fields(words)
		if asked != "" {
			argv = append(argv, asked)
		}
		r := h.wantOf(claude().Read(argv, false), "claude", "", want)
		if sure := c.ours != "" && c.found; r.Certain != sure {
			t.Errorf("%q: certain %v, want %v", c.args, r.Certain, sure)
		}
	}
}

// TestFindQuestions: every agent's record tells what was asked.
func TestFindQuestions(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]string{
		"claude":      `{"type":"user","message":{"role":"user","content":"do it"}}`,
		"codex":       `{"type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"do it"}]}}}`,
		"older codex": `{"type":"event_msg","payload":{"type":"user_message","message":"do it"}}`,
		"gemini":      `{"type":"user","content":[{"text":"do it"}]}`,
		"qwen":        `{"type":"user","message":{"role":"user","parts":[{"text":"do it"}]}}`,
		"pi":          `{"type":"message","message":{"role":"user","content":[{"type":"text","text":"do it"}]}}`,
	} {
		if text, _ := question([]byte(entry)); text != "do it" {
			t.Errorf("%s: %q", name, text)
		}
	}
	for _, argv := range [][]string{
		{"codex", "exec", "-m", "m", "do it"}, {"codex", "exec", "resume", "0199c0de-0000-7000-8000-00000000000a", "do it"}, {"gemini", "-p", "do it"}, {"pi", "-p", "do", "it"},
	} {
		a, _ := ByCommand(argv)
		if asks := a.Read(argv, false).asks(a.syntax); len(asks) == 0 || asks[0] != "do it" {
			t.Errorf("%q asks %q", argv, asks)
		}
	}
}

// TestFindBesideInner: a session that is begun meanwhile, by a tool of the run for one,
// is not taken for the one that the run continues, or that a person turned to.
func TestFindBesideInner(t *testing.T) {
	t.Parallel()
	const outer, inner = "/outer-1-1.jsonl", "/inner-1-1.jsonl"
	for _, c := range []struct {
		args     string
		terminal bool
		old      string // how the older session converses
		touched  bool
		born     string
		want     string
	}{
		{"claude -p --continue|go on", false, "sdk-cli", true, "sdk-cli", outer},
		{"claude -p --continue|go on", false, "sdk-cli", false, "sdk-cli", ""},
		{"claude -p --continue", false, "", true, "", outer},
		{"claude --continue", true, "cli", true, "cli", outer},
		{"claude", true, "cli", true, "sdk-cli", outer},
		{"claude", true, "cli", true, "cli", inner},
		{"claude", true, "", true, "", ""},
		{"claude", true, "cli", false, "sdk-cli", ""},
		{"claude -p --continue --fork-session", false, "", true, "", inner},
	} {
		h := newHome(t)
		dir := ".claude/projects/" + dashed(h.Dir)
		text, at := h.claudeRecord(longAgo, c.old, "begin"), -time.Hour
		if c.touched {
			text, at = text+h.claudeRecord(inRun, c.old, "go on"), time.Minute
		}
		h.write(dir+outer, text, at)
		h.write(dir+inner, h.claudeRecord(inRun, c.born, "inner"), time.Minute)
		want := c.want
		if want != "" {
			want = dir + want
		}
		words, asked, _ := strings.Cut(c.args, "|")
		argv := strings.Fields(words)
		if asked != "" {
			argv = append(argv, asked)
		}
		h.wantOf(claude().Read(argv, c.terminal), "claude", "", want)
	}
}

// TestFindBesideTool: of two sessions that were begun in the run the conversation's own
// is the one that converses.
func TestFindBesideTool(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	dir := ".claude/projects/" + dashed(h.Dir)
	h.write(dir+"/outer-1-1.jsonl", h.claudeRecord(inRun, "cli", "begin"), time.Minute)
	h.write(dir+"/inner-1-1.jsonl", h.claudeRecord(inRun, "sdk-cli", "inner"), time.Minute)
	h.wantOf(claude().Read([]string{"claude"}, true), "claude", "", dir+"/outer-1-1.jsonl")

	h = newHome(t)
	meta := func(id, source string) string {
		return `{"timestamp":"` + inRun + `","type":"session_meta","payload":{"id":"` + id + `","cwd":"` + h.Dir + `","source":"` + source + `"}}` + "\n"
	}
	const day = ".codex/sessions/2026/11/21/rollout-1-"
	h.write(day+"aaaa.jsonl", meta("aaaa", "cli"), time.Minute)
	h.write(day+"bbbb.jsonl", meta("bbbb", "exec"), time.Minute)
	h.wantOf(codex().Read([]string{"codex"}, true), "codex", "", day+"aaaa.jsonl")
}

// TestFindNone: an agent that keeps no record has none, whatever lies there.
func TestFindNone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	dir := dashed(h.Dir)
	const asked = `{"type":"user","timestamp":"` + inRun + `","message":{"role":"user","content":"fix"}}` + "\n"
	kept := map[string]string{
		"claude -p fix":                          ".claude/projects/" + dir + "/a-b-c.jsonl",
		"codex exec fix":                         ".codex/sessions/2026/11/21/rollout-1-a.jsonl",
		"pi -p fix":                              ".pi/agent/sessions/--" + strings.ReplaceAll(h.Dir[1:], "/", "-") + "--/a.jsonl",
		"qwen -p fix":                            ".qwen/projects/" + dir + "/chats/a.jsonl",
		"qwen --chat-recording -p fix":           ".qwen/projects/" + dir + "/chats/a.jsonl",
		"claude -p --no-session-persistence fix": "", "codex exec --ephemeral fix": "", "pi --no-session -p fix": "",
		"qwen --no-chat-recording -p fix": "", "qwen --chat-recording=false -p fix": "", "qwen --chat-recording false -p fix": "",
	}
	for _, path := range kept {
		if path != "" {
			h.write(path, asked, time.Minute)
		}
	}
	for command, path := range kept {
		argv := strings.Fields(command)
		a, _ := ByCommand(argv)
		h.wantOf(a.Read(argv, false), a.Name, "", path)
	}
	for value, path := range map[string]string{"": kept["claude -p fix"], "0": kept["claude -p fix"], "1": "", "true": ""} {
		h.Env = func(name string) string { return map[string]string{"CLAUDE_CODE_SKIP_PROMPT_HISTORY": value}[name] }
		h.wantOf(claude().Read([]string{"claude", "-p", "fix"}, false), "claude", "", path)
	}
}

// TestFindNamed: the record of a session that is named is found beside any other, and
// tells when it is not what the run was asked.
func TestFindNamed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	dir := ".claude/projects/" + dashed(h.Dir)
	for name, asked := range map[string]string{"/ours-1-1.jsonl": "fix", "/same-1-1.jsonl": "fix", "/other-1-1.jsonl": "look"} {
		h.write(dir+name, h.claudeRecord(inRun, "sdk-cli", asked), time.Minute)
	}
	in := claude().Read([]string{"claude", "-p", "fix"}, false)
	h.wantOf(in, "claude", "", "")
	if r := h.wantOf(in, "claude", "ours-1-1", dir+"/ours-1-1.jsonl"); r.Strange || !r.Certain {
		t.Errorf("its own: %+v", r)
	}
	if r := h.wantOf(in, "claude", "other-1-1", dir+"/other-1-1.jsonl"); !r.Strange {
		t.Errorf("another's: %+v", r)
	}
}
