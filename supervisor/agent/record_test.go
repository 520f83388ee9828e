package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// home is a made-up home directory with session records in it.
type home struct {
	*testing.T
	Place
	since time.Time
}

func newHome(t *testing.T) home {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := home{T: t, Place: Place{Home: filepath.Join(dir, "home"), Dir: filepath.Join(dir, "my repo")}, since: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// write puts a file below home, last changed so long after the run began.
func (h home) write(path, content string, after time.Duration) {
	h.Helper()
	path = filepath.Join(h.Home, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.Fatal(err)
	}
	if err := os.Chtimes(path, h.since.Add(after), h.since.Add(after)); err != nil {
		h.Fatal(err)
	}
}

// want checks which record of a headless run is found.
func (h home) want(agent, session, path string) Record {
	h.Helper()
	return h.wantOf(Invocation{Mode: ModeHeadless}, agent, session, path)
}

// wantOf checks which record of an invocation is found.
func (h home) wantOf(in Invocation, agent, session, path string) Record {
	h.Helper()
	a, _ := ByName(agent)
	r, ok := a.FindRecord(h.Place, in, session, h.since)
	if path != "" {
		path = filepath.Join(h.Home, path)
	}
	if r.Path != path || ok != (path != "") {
		h.Errorf("%s session %q: found %v %q, want %q", agent, session, ok, r.Path, path)
	}
	return r
}

func TestFindClaude(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	dir := filepath.Join(".claude", "projects", dashed(h.Dir))
	entry := func(born string) string {
		return `{"type":"user","cwd":"` + h.Dir + `","timestamp":"` + born + `","message":{"content":"x"}}` + "\n"
	}
	h.want("claude", "", "")
	h.write(dir+"/old-one-1.jsonl", entry("2026-11-20T12:00:00Z"), -time.Hour)
	h.want("claude", "", "")
	h.write(dir+"/new-one-1.jsonl", entry("2026-11-21T12:00:01Z"), time.Minute)
	h.want("claude", "", dir+"/new-one-1.jsonl")
	h.write(dir+"/agent-1-2.jsonl", `{"agentId":"1","isSidechain":true}`+"\n", time.Minute)
	h.want("claude", "", dir+"/new-one-1.jsonl")
	// Another session that goes on at the same time is older; a third is not.
	h.write(dir+"/old-one-1.jsonl", entry("2026-11-20T12:00:00Z"), time.Minute)
	h.want("claude", "", dir+"/new-one-1.jsonl")
	h.write(dir+"/third-one-1.jsonl", entry("2026-11-21T12:00:02Z"), time.Minute)
	h.want("claude", "", "")
	h.want("claude", "third-one-1", dir+"/third-one-1.jsonl")
	h.want("claude", "no-such-one", "")
}

func TestFindCodex(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	meta := func(id, cwd, more string) string {
		return `{"timestamp":"2026-11-21T12:00:01Z","type":"session_meta","payload":{"id":"` + id + `","cwd":"` + cwd + `"` + more + `}}` + "\n"
	}
	day := ".codex/sessions/2026/11/21/"
	h.write(day+"rollout-1-aaaa.jsonl", meta("aaaa", "/elsewhere", ""), time.Second)
	h.write(day+"rollout-1-bbbb.jsonl", meta("bbbb", h.Dir, `,"source":{"subagent":"review"}`), time.Second)
	h.want("codex", "", "")
	h.write(day+"rollout-1-cccc.jsonl", meta("cccc", h.Dir, `,"source":"exec","thread_source":"user"`), time.Second)
	h.want("codex", "", day+"rollout-1-cccc.jsonl")
	h.want("codex", "aaaa", day+"rollout-1-aaaa.jsonl")
	h.Env = func(name string) string { return map[string]string{"CODEX_HOME": h.Home + "/other"}[name] }
	h.want("codex", "", "")
}

func TestFindOthers(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write(".gemini/tmp/x/.project_root", h.Dir, 0)
	h.write(".gemini/tmp/x/chats/session-2026-1-9b220882.jsonl", `{"sessionId":"9b220882-2020"}`, time.Second)
	h.write(".gemini/tmp/y/.project_root", "/elsewhere", 0)
	h.write(".gemini/tmp/y/chats/session-2026-1-fc0e4f04.jsonl", `{"sessionId":"fc0e4f04-ea6c"}`, time.Second)
	h.want("gemini", "", ".gemini/tmp/x/chats/session-2026-1-9b220882.jsonl")
	h.want("gemini", "fc0e4f04-ea6c", ".gemini/tmp/y/chats/session-2026-1-fc0e4f04.jsonl")
	h.want("gemini", "fc0e4f04-ffff", "")

	qwen := ".qwen/projects/" + dashed(h.Dir) + "/chats/dd2a4b7e.jsonl"
	h.write(qwen, `{"sessionId":"dd2a4b7e","cwd":"`+h.Dir+`"}`+"\n", time.Second)
	h.want("qwen", "", qwen)

	pi := ".pi/agent/sessions/--" + strings.ReplaceAll(h.Dir[1:], "/", "-") + "--/2026_01a1.jsonl"
	h.write(pi, `{"type":"session","id":"01a1","cwd":"`+h.Dir+`","timestamp":"2026-11-21T12:00:01Z"}`+"\n", time.Second)
	h.want("pi", "", pi)
	h.want("pi", "01a1", pi)

	h.want("opencode", "", "")
	h.write(".local/share/opencode/opencode.db", "", 0)
	r := h.want("opencode", "", ".local/share/opencode/opencode.db")
	if !strings.Contains(r.Query, "s.directory") || len(r.Args) != strings.Count(r.Query, "?") {
		t.Errorf("query %s with %v", r.Query, r.Args)
	}
	r = h.want("opencode", "ses_1", ".local/share/opencode/opencode.db")
	if r.Args[0] != "ses_1" || len(r.Args) != strings.Count(r.Query, "?") {
		t.Errorf("query %s with %v", r.Query, r.Args)
	}
	h.want("generic", "", "")
}

// TestFindAfterAnother: a record that was finished a moment before the run began, or
// that somebody goes on with meanwhile, is not the run's, unless it continues one, or
// a person may have turned to it in the conversation.
func TestFindAfterAnother(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write(".gemini/tmp/x/.project_root", h.Dir, 0)
	const before = ".gemini/tmp/x/chats/session-2026-1-9b220882.jsonl"
	const text = `{"sessionId":"9b220882-2020","startTime":"2026-11-21T11:59:50.000Z"}
{"timestamp":"2026-11-21T11:59:51.000Z","type":"user","content":"x"}
{"timestamp":"2026-11-21T11:59:59.400Z","type":"gemini","content":"done","tokens":{"output":5}}
`
	for _, after := range []time.Duration{-time.Second / 2, time.Second} {
		h.write(before, text, after)
		h.want("gemini", "", "")
		picked := before
		if after < 0 {
			picked = ""
		}
		h.wantOf(Invocation{Mode: ModeInteractive}, "gemini", "", picked)
		r := h.wantOf(Invocation{Mode: ModeHeadless, Resumes: true}, "gemini", "", before)
		if s := gemini().ReadRecord(r, h.since); s.Turn != TurnUnknown {
			t.Errorf("what was said before: %+v", s)
		}
	}
	const ours = ".gemini/tmp/x/chats/session-2026-1-fc0e4f04.jsonl"
	h.write(ours, `{"sessionId":"fc0e4f04-2020"}`+"\n"+`{"timestamp":"2026-11-21T12:00:00Z","type":"user","content":"x"}`, time.Second)
	h.want("gemini", "", ours)
	// A person may have turned to the older one, and a tool have begun the other.
	h.wantOf(Invocation{Mode: ModeInteractive}, "gemini", "", "")
}

// TestFindPicked: a turn that is open in the older session that a person went on with
// in the conversation is seen.
func TestFindPicked(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const path = ".codex/sessions/2026/11/20/rollout-1-aaaa.jsonl"
	h.write(path, `{"timestamp":"2026-11-20T12:00:00Z","type":"session_meta","payload":{"id":"aaaa","cwd":"`+h.Dir+`"}}
{"timestamp":"2026-11-20T12:00:01Z","type":"event_msg","payload":{"type":"task_complete"}}
{"timestamp":"2026-11-21T12:00:05Z","type":"event_msg","payload":{"type":"task_started"}}
`, 5*time.Second)
	h.want("codex", "", "")
	r := h.wantOf(Invocation{Mode: ModeInteractive}, "codex", "", path)
	if s := codex().ReadRecord(r, h.since); s.Turn != TurnOpen {
		t.Errorf("read as %+v", s)
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 21, 12, 0, 0, 750_600_000, time.UTC)
	for stamp, want := range map[string]bool{
		"2026-11-21T12:00:00.750Z": true, "2026-11-21T12:00:00.749Z": false, "2026-11-21T12:00:00Z": true, "2026-11-21T11:59:59Z": false,
		"2026-11-21T12:00:00.7506Z": true, "2026-11-21T13:00:00.760+01:00": true,
	} {
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil || within(at, began) != want {
			t.Errorf("%s: %v, %v", stamp, !want, err)
		}
	}
}

// TestReadRecordSince: what an older run left in the same record says nothing
// about this one.
func TestReadRecordSince(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	line := func(at, kind string) string {
		return `{"timestamp":"` + at + `","type":"event_msg","payload":{"type":"` + kind + `"}}` + "\n"
	}
	old := line("2026-11-20T12:00:00Z", "task_started") + line("2026-11-20T12:01:00Z", "task_complete")
	h.write("r.jsonl", old, 0)
	a := codex()
	r := Record{Path: filepath.Join(h.Home, "r.jsonl")}
	if s := a.ReadRecord(r, h.since); s.Turn != TurnUnknown {
		t.Errorf("an older run: %+v", s)
	}
	h.write("r.jsonl", old+line("2026-11-21T12:00:03Z", "task_started"), 0)
	if s := a.ReadRecord(r, h.since); s.Turn != TurnOpen || s.Turns != 1 {
		t.Errorf("a turn that began: %+v", s)
	}
	filler := strings.Repeat(line("2026-11-21T12:00:04Z", "token_count"), 2*tailMost/90)
	h.write("r.jsonl", old+filler+line("2026-11-21T12:00:03Z", "task_complete")+`{"timestamp":"2026-`, 0)
	if s := a.ReadRecord(r, h.since); s.Turn != TurnCompleted {
		t.Errorf("a long record: %+v", s)
	}
	if s := a.ReadRecord(Record{Path: "/no/such/file"}, h.since); s != (Standing{}) {
		t.Errorf("no record: %+v", s)
	}
}

// TestReadRecordClock: a clock that is set back in the middle of a run hides nothing of
// it, and the copies that open a forked history are no part of it.
func TestReadRecordClock(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	line := func(at, kind string) string {
		return `{"timestamp":"` + at + `","type":"event_msg","payload":{"type":"` + kind + `"}}` + "\n"
	}
	const opens = `{"timestamp":"2026-11-21T12:00:01Z","type":"session_meta","payload":{"id":"s"}}` + "\n"
	begun, before := line("2026-11-21T12:00:02Z", "task_started"), "2026-11-21T11:00:03Z"
	for _, c := range []struct {
		name, text string
		want       Turn
	}{
		{"finished", opens + begun + line(before, "task_complete"), TurnCompleted},
		{"asked again", opens + begun + line("2026-11-21T12:00:03Z", "task_complete") + line(before, "task_started"), TurnOpen},
		{"copied", opens + line(before, "task_started") + line(before, "task_complete"), TurnUnknown},
		{"copied and asked", opens + line(before, "task_started") + line(before, "task_complete") + begun, TurnOpen},
	} {
		h.write("r.jsonl", c.text, 0)
		r := Record{Path: filepath.Join(h.Home, "r.jsonl")}
		f := codex().Follow(r, h.since)
		f.Lines()
		if read, followed := codex().ReadRecord(r, h.since).Turn, f.Standing().Turn; read != c.want || followed != c.want {
			t.Errorf("%s: read %q, followed %q, want %q", c.name, read, followed, c.want)
		}
	}
}

// TestReadRecordLongEntry: an entry that is longer than what is read at first hides
// nothing of those before it.
func TestReadRecordLongEntry(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const old = `{"timestamp":"2026-11-20T12:00:00Z","type":"user","message":{"content":"x"}}` + "\n"
	const asked = `{"timestamp":"2026-11-21T12:00:01Z","type":"user","message":{"content":"x"}}` + "\n"
	result := func(size int) string {
		return `{"timestamp":"2026-11-21T12:00:02Z","type":"user","toolUseResult":{},"message":{"content":[{"content":"` + strings.Repeat("x", size) + `"}]}}`
	}
	r := Record{Path: filepath.Join(h.Home, "r.jsonl")}
	for _, end := range []string{"", "\n"} {
		h.write("r.jsonl", old+asked+result(tailMost+tailMost/2)+end, time.Minute)
		if s := claude().ReadRecord(r, h.since); s.Turn != TurnOpen || s.Turns != 1 {
			t.Errorf("a long entry, with %q behind it: %+v", end, s)
		}
	}
	h.write("r.jsonl", old+asked+result(entryMost), time.Minute)
	if s := claude().ReadRecord(r, h.since); s.Turn != TurnOpen {
		t.Errorf("an entry that is too long: %+v", s)
	}
	h.write("r.jsonl", old+asked+result(entryMost), -time.Minute)
	if s := claude().ReadRecord(r, h.since); s.Turn != TurnUnknown {
		t.Errorf("one that nobody touched: %+v", s)
	}
}

func TestReadRows(t *testing.T) {
	t.Parallel()
	row := func(session, message string) string { return `{"session":"` + session + `","message":` + message + `}` }
	user, stop := `{"role":"user"}`, `{"role":"assistant","finish":"stop","time":{"completed":1}}`
	for _, c := range []struct {
		name string
		rows []string
		want Turn
	}{
		{"none", nil, TurnUnknown},
		{"asked", []string{row("a", user)}, TurnOpen},
		{"answered", []string{row("a", user), row("a", stop)}, TurnCompleted},
		{"tools", []string{row("a", user), row("a", `{"role":"assistant","finish":"tool-calls","time":{"completed":1}}`)}, TurnOpen},
		{"aborted", []string{row("a", user), row("a", `{"role":"assistant","error":{"name":"MessageAbortedError"}}`)}, TurnInterrupted},
		{"left behind the answer", []string{row("a", user), row("a", `{"role":"assistant","finish":"stop","error":{"name":"MessageAbortedError"}}`)}, TurnCompleted},
		{"left before the answer", []string{row("a", user), row("a", `{"role":"assistant","time":{"completed":1}}`)}, TurnOpen},
		{"failed behind the answer", []string{row("a", user), row("a", `{"role":"assistant","finish":"stop","error":{"name":"UnknownError"}}`)}, TurnFailed},
		{"two sessions", []string{row("a", user), row("b", stop)}, TurnUnknown},
		{"garbage", []string{"x", row("a", user), `{"session":"a","message":3}`}, TurnOpen},
	} {
		got := opencode().ReadRows(c.rows)
		if got.Turn != c.want || got.Turn == TurnOpen && got.Cause != "" {
			t.Errorf("%s: %+v, want %q", c.name, got, c.want)
		}
	}
}
