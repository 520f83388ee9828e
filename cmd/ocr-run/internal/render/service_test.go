package render

import (
	"strings"
	"testing"
)

func TestServiceStatusText(t *testing.T) {
	t.Parallel()
	s := Style{NowMS: 1_795_271_044_000}
	none := ServiceStatus{Name: "ocr-run-reap", Ledger: "/l"}
	if got := ServiceStatusText(s, none); got != "ocr-run-reap  not installed\n  ledger        /l\n" {
		t.Errorf("%q", got)
	}
	well := none
	well.Installed, well.Enabled, well.Active, well.Lingers = true, new(true), new(true), new(false)
	well.Last = &ServiceSweep{Result: "success", EndedAt: new(Time(s.NowMS - 3000))}
	well.NextAt = new(Time(s.NowMS + 60_000))
	want := `ocr-run-reap  in order
  ledger        /l
  enabled       yes
  active        yes
  last sweep    success, ` + *well.Last.EndedAt + ` (3.0s ago)
  next sweep    ` + *well.NextAt + `
  linger        no
`
	if got := ServiceStatusText(s, well); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	bad := none
	bad.Problems = []string{"it is \x1b[2Jgone"}
	bad.Last = &ServiceSweep{Result: "exit-code", ExitCode: 203}
	for _, want := range []string{"needs attention", "last sweep    exit-code (exit code 203)\n", `problem       it is \x1b[2Jgone`} {
		if got := ServiceStatusText(s, bad); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestServiceChangeText(t *testing.T) {
	t.Parallel()
	change := ServiceChange{Files: []ServiceFile{
		{Path: "/a", Standing: "missing", Diff: "+x\n"}, {Path: "/b", Standing: "same"}, {Path: "/c", Standing: "foreign"},
	}}
	if got, want := ServiceChangeText(change), "/a:\n+x\n/b: nothing to change\n/c: not ours, left alone\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	change.Remove = true
	if got, want := ServiceChangeText(change), "/a: goes away\n/b: nothing to change\n/c: not ours, left alone\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestReapDeeds checks that a log which is written to every few minutes is not told
// again and again of what is left as it is.
func TestReapDeeds(t *testing.T) {
	t.Parallel()
	left := Reaping{
		Spool:     ReapedSpool{Waiting: 2},
		Processes: []OwnedProcess{{PID: 10, Action: "keep"}, {PID: 11, Action: "report"}},
	}
	if got := ReapDeeds(Style{}, left); got != "" {
		t.Errorf("of what is left it says:\n%s", got)
	}
	if got := Reap(Style{}, left); !strings.Contains(got, "10") || !strings.Contains(got, "take in") {
		t.Errorf("without --quiet it says:\n%s", got)
	}
	done := left
	done.Spool.Ingested = 1
	done.Processes = append(done.Processes, OwnedProcess{PID: 12, Action: "stop", Done: true}, OwnedProcess{PID: 13, Action: "stop"})
	done.Runs = []ReapedRun{{UID: "aaaa0001", Action: "lose", Done: true}}
	got := ReapDeeds(Style{}, done)
	for _, want := range []string{"take in", "settled", "stopped", "not stopped"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 5 {
		t.Errorf("it says too much:\n%s", got)
	}
	if len(done.Processes) != 4 || done.Processes[0].PID != 10 {
		t.Error("it changed what it was to show")
	}
}
