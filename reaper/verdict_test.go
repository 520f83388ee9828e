package reaper

import (
	"testing"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// Who is above a process spares it if the run may have started it, and not if it was
// there before: then the run was started below it, and what has lost its parents
// ends up there.
func TestWhoIsAboveSpares(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start uint64
		args  []string
		mark  proc.Marker
		want  Verdict
	}{
		"a shared server of the run":          {start: 2900, args: []string{"tmux", "new-session"}, want: VerdictKeep},
		"the shared server it was started in": {start: deadStart - 10, args: []string{"tmux", "new-session"}, want: VerdictStop},
		"a run of another ledger in it":       {start: 2900, mark: proc.Marker{UID: "elsewhere", Lineage: "elsewhere"}, want: VerdictKeep},
		"the run of another ledger it was in": {start: deadStart - 10, mark: proc.Marker{UID: "elsewhere", Lineage: "elsewhere"}, want: VerdictStop},
		"nobody in particular":                {start: 2900, want: VerdictStop},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := proc.Process{PID: 110, PPID: 301, PGID: 110, SID: 110, Start: 3000}
			above := proc.Process{PID: 301, PPID: 1, Start: c.start, Name: "tmux: server"}
			if c.args == nil {
				above.Name = "agent"
			}
			f := fakes{table: []proc.Process{p, above}, marks: map[int]proc.Marker{110: own(), 301: c.mark}, args: map[int][]string{301: c.args}}
			r := deadRun()
			r.named[process{110, 3000}] = "seen"
			if got, _ := f.at(t, r).decide(p); got.Verdict != c.want {
				t.Errorf("%s (%s), want %s", got.Verdict, got.Reason, c.want)
			}
		})
	}
}
