package reaper

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// fakes is a process table that a test makes up.
type fakes struct {
	table  []proc.Process
	marks  map[int]proc.Marker
	hidden map[int]bool
	args   map[int][]string
	groups map[int]string
	// terminals are the dead ones that are held.
	terminals map[int]string
}

// system is the made-up table as a sweep asks for it.
func (f fakes) system() system {
	return system{
		census: func() ([]proc.Process, error) { return f.table, nil },
		marker: func(pid int) (proc.Marker, error) {
			if f.hidden[pid] {
				return proc.Marker{}, os.ErrPermission
			}
			return f.marks[pid], nil
		},
		args: func(pid int) ([]string, error) {
			if a := f.args[pid]; a != nil {
				return a, nil
			}
			return []string{fmt.Sprint("prog-", pid)}, nil
		},
		cgroup: func(pid int) (string, error) { return f.groups[pid], nil },
		members: func(top string) (pids []int) {
			for pid, path := range f.groups {
				if proc.InCgroup(path, top) {
					pids = append(pids, pid)
				}
			}
			return pids
		},
		holds:     func(pid int, name string) bool { return f.terminals[pid] == name },
		protected: func() map[int]bool { return map[int]bool{1: true, 500: true, 501: true} },
	}
}

// The dead run that most cases are about: wrapper 100, monitor 101, command 102,
// started at tick 1000, with a descendant 110 in its last beat.
const (
	deadUID    = "dead"
	deadStart  = 1000
	liveUID    = "live"
	marked     = "dead" // its lineage, too
	cgroupPath = "/user/ocr-run-dead"
	ttyName    = "/dev/pts/7"
)

// deadRun is the row, with what can be known of it from the outside.
func deadRun() *run {
	id := func(pid int, start uint64) store.Identity { return store.Identity{PID: pid, StartTicks: start} }
	e := store.Execution{
		Announcement: store.Announcement{UID: deadUID, Lineage: marked, Wrapper: id(100, 998)},
		Launch: store.Launch{
			Child: id(102, deadStart), Monitor: id(101, 999), PGID: 102, SID: 101, Cgroup: cgroupPath, TTY: ttyName,
		},
		Descendants: []store.Descendant{{PID: 110, StartTicks: 1100}},
		Process:     lifecycle.Process{End: lifecycle.EndLost},
	}
	r := &run{Execution: e, standing: StandingEnded}
	r.named, r.leaders = named(e)
	return r
}

// liveRun is a run that is looked after by wrapper 200, with monitor 201.
func liveRun(uid, lineage string) *run {
	e := store.Execution{
		Announcement: store.Announcement{UID: uid, Lineage: lineage, Wrapper: store.Identity{PID: 200, StartTicks: 2000}},
		Launch: store.Launch{
			Child: store.Identity{PID: 202, StartTicks: 2002}, Monitor: store.Identity{PID: 201, StartTicks: 2001},
		},
	}
	r := &run{Execution: e, standing: StandingLive}
	r.named, r.leaders = named(e)
	return r
}

// at makes a scene of a made-up table and runs.
func (f fakes) at(t *testing.T, runs ...*run) *scene {
	t.Helper()
	s := newScene(f.system(), heartbeat.Observer{})
	if err := s.look(); err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		s.add(r)
	}
	return s
}

// own is a process that carries the dead run's marker.
func own() proc.Marker { return proc.Marker{UID: deadUID, Lineage: marked} }

// TestVerdicts is the table of what is done about process 300, and on what proof.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	stranger := proc.Process{PID: 300, PPID: 1, PGID: 300, SID: 300, Start: 3000}
	with := func(change func(*proc.Process)) proc.Process {
		p := stranger
		change(&p)
		return p
	}
	inSession := with(func(p *proc.Process) { p.SID = 101 })
	tests := []struct {
		name   string
		p      proc.Process
		mark   proc.Marker
		others []proc.Process
		change func(f *fakes, r *run)
		want   Verdict
		proofs []Proof
	}{
		{name: "a stranger", p: stranger, want: VerdictNone},
		{name: "marker alone", p: stranger, mark: own(), want: VerdictReport, proofs: []Proof{ProofMarker}},
		{name: "session alone", p: inSession, want: VerdictReport, proofs: []Proof{ProofSession}},
		{name: "group alone", p: with(func(p *proc.Process) { p.PGID = 102 }), want: VerdictReport, proofs: []Proof{ProofSession}},
		{
			name: "session and group are one proof", p: with(func(p *proc.Process) { p.SID, p.PGID = 101, 102 }),
			want: VerdictReport, proofs: []Proof{ProofSession},
		},
		{name: "marker and session", p: inSession, mark: own(), want: VerdictStop, proofs: []Proof{ProofSession, ProofMarker}},
		{
			name: "the recorded descendant", p: proc.Process{PID: 110, PPID: 1, PGID: 110, SID: 110, Start: 1100},
			want: VerdictStop, proofs: []Proof{ProofIdentity, ProofSession},
		},
		{
			name: "another process of its number", p: proc.Process{PID: 110, PPID: 1, PGID: 110, SID: 110, Start: 5100},
			want: VerdictNone,
		},
		{
			name: "another process of the command's number, in what was its group",
			p:    proc.Process{PID: 102, PPID: 1, PGID: 102, SID: 102, Start: 5100}, want: VerdictNone,
		},
		{
			name: "below another process of a recorded number", p: with(func(p *proc.Process) { p.PPID = 110 }),
			others: []proc.Process{{PID: 110, PPID: 1, Start: 2900}}, mark: own(), want: VerdictReport, proofs: []Proof{ProofMarker},
		},
		{
			name: "in the session of another leader", p: inSession, mark: own(),
			others: []proc.Process{{PID: 101, PPID: 1, SID: 101, Start: 2900}}, want: VerdictReport, proofs: []Proof{ProofMarker},
		},
		{
			name: "descent and marker", p: with(func(p *proc.Process) { p.PPID = 110 }),
			others: []proc.Process{{PID: 110, PPID: 1, Start: 1100}}, mark: own(), want: VerdictStop, proofs: []Proof{ProofDescent, ProofMarker},
		},
		{
			name: "descent alone", p: with(func(p *proc.Process) { p.PPID = 110 }),
			others: []proc.Process{{PID: 110, PPID: 1, Start: 1100}}, want: VerdictReport, proofs: []Proof{ProofDescent},
		},
		{
			name: "a parent younger than its child is none", p: with(func(p *proc.Process) { p.PPID, p.Start = 110, 1050 }),
			others: []proc.Process{{PID: 110, PPID: 1, Start: 1100}}, want: VerdictNone,
		},
		{
			name: "control group and marker", p: stranger, mark: own(),
			change: func(f *fakes, _ *run) { f.groups = map[int]string{300: cgroupPath + "/tool"} },
			want:   VerdictStop, proofs: []Proof{ProofCgroup, ProofMarker},
		},
		{
			name: "marker and terminal", p: stranger, mark: own(), change: func(f *fakes, _ *run) { f.terminals = map[int]string{300: ttyName} },
			want: VerdictStop, proofs: []Proof{ProofSession, ProofMarker},
		},
		{
			name: "terminal and session are one proof", p: inSession, change: func(f *fakes, _ *run) { f.terminals = map[int]string{300: ttyName} },
			want: VerdictReport, proofs: []Proof{ProofSession},
		},
		{
			name: "marker and another terminal", p: stranger, mark: own(),
			change: func(f *fakes, _ *run) { f.terminals = map[int]string{300: "/dev/pts/70"} },
			want:   VerdictReport, proofs: []Proof{ProofMarker},
		},
		{
			name: "control group alone", p: stranger, change: func(f *fakes, _ *run) { f.groups = map[int]string{300: cgroupPath} },
			want: VerdictReport, proofs: []Proof{ProofCgroup},
		},
		{
			name: "another run's control group with a longer name", p: stranger, mark: own(),
			change: func(f *fakes, _ *run) { f.groups = map[int]string{300: cgroupPath + "-2"} },
			want:   VerdictReport, proofs: []Proof{ProofMarker},
		},
		{
			name: "older than the run", p: with(func(p *proc.Process) { p.SID, p.Start = 101, deadStart-1 }), mark: own(), want: VerdictNone,
		},
		{
			name: "copied marker of another lineage", p: inSession, mark: proc.Marker{UID: deadUID, Lineage: "x/" + deadUID},
			want: VerdictReport, proofs: []Proof{ProofSession},
		},
		{
			name: "environment hidden", p: inSession, change: func(f *fakes, _ *run) { f.hidden = map[int]bool{300: true} },
			want: VerdictReport, proofs: []Proof{ProofSession},
		},
		{
			name: "named, environment hidden", p: proc.Process{PID: 110, PPID: 1, Start: 1100},
			change: func(f *fakes, _ *run) { f.hidden = map[int]bool{110: true} }, want: VerdictReport, proofs: []Proof{ProofIdentity},
		},
		{
			name: "under ocr-run keep", p: inSession, mark: proc.Marker{UID: deadUID, Lineage: marked, Keep: "x/" + deadUID},
			want: VerdictKeep, proofs: []Proof{ProofSession, ProofMarker},
		},
		{
			name: "kept from another run", p: inSession, mark: proc.Marker{UID: deadUID, Lineage: marked, Keep: "x/dea/dead2"},
			want: VerdictStop, proofs: []Proof{ProofSession, ProofMarker},
		},
		{
			name: "the command itself is never meant to outlive the run", p: proc.Process{PID: 102, PPID: 1, Start: deadStart},
			mark: proc.Marker{UID: deadUID, Lineage: marked, Keep: deadUID}, want: VerdictStop, proofs: []Proof{ProofIdentity, ProofMarker},
		},
		{
			name: "below what is kept, its own environment cleared", p: with(func(p *proc.Process) { p.SID, p.PPID = 101, 301 }),
			others: []proc.Process{{PID: 301, PPID: 1, Start: 2900}},
			change: func(f *fakes, _ *run) {
				f.marks[301] = proc.Marker{UID: deadUID, Lineage: marked, Keep: deadUID}
			},
			want: VerdictKeep, proofs: []Proof{ProofSession},
		},
		{
			name: "a shared server", p: inSession, mark: own(),
			change: func(f *fakes, _ *run) { f.args = map[int][]string{300: {"/usr/bin/bazel(ws)", "--x"}} },
			want:   VerdictKeep, proofs: []Proof{ProofSession, ProofMarker},
		},
		{
			name: "spared at the end of the run", p: proc.Process{PID: 110, PPID: 1, Start: 1100},
			change: func(_ *fakes, r *run) {
				r.Leftovers.Kept = []store.Leftover{{PID: 110, StartTicks: 1100, Reason: "kept as asked"}}
			},
			want: VerdictKeep, proofs: []Proof{ProofIdentity},
		},
		{
			name: "we ourselves", p: proc.Process{PID: 500, PPID: 501, SID: 101, Start: 3000}, mark: own(),
			want: VerdictKeep, proofs: []Proof{ProofSession, ProofMarker},
		},
		{
			name: "of another ledger", p: inSession, mark: proc.Marker{UID: "elsewhere", Lineage: marked + "/elsewhere"},
			want: VerdictKeep, proofs: []Proof{ProofSession},
		},
		{
			name: "a wrapper of another ledger", p: inSession, mark: own(),
			others: []proc.Process{{PID: 301, PPID: 300, Start: 3001}},
			change: func(f *fakes, _ *run) { f.marks[301] = proc.Marker{UID: "elsewhere"} },
			want:   VerdictKeep, proofs: []Proof{ProofSession, ProofMarker},
		},
		{
			name: "the run lives", p: inSession, mark: own(),
			change: func(_ *fakes, r *run) { r.standing = StandingLive }, want: VerdictNone,
		},
		{
			name: "the run is of another boot", p: inSession, mark: own(),
			change: func(_ *fakes, r *run) { r.standing = StandingElsewhere }, want: VerdictNone,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := fakes{table: append([]proc.Process{tt.p}, tt.others...), marks: map[int]proc.Marker{tt.p.PID: tt.mark}}
			r := deadRun()
			if tt.change != nil {
				tt.change(&f, r)
			}
			got, _ := f.at(t, r).decide(tt.p)
			if got.Verdict != tt.want || !slices.Equal(got.Proofs, tt.proofs) {
				t.Errorf("%s with %v (%s), want %s with %v", got.Verdict, got.Proofs, got.Reason, tt.want, tt.proofs)
			}
			if tt.want != VerdictNone && (got.UID != deadUID || got.Reason == "" || got.Command == "") {
				t.Errorf("incomplete: %+v", got)
			}
		})
	}
}

// A run that lives inside a dead one is left alone with everything below it, and
// what escaped from a dead one into a living one's tree is not protected by that.
func TestNestedRuns(t *testing.T) {
	t.Parallel()
	inner := proc.Marker{UID: liveUID, Lineage: marked + "/" + liveUID}
	table := []proc.Process{
		{PID: 200, PPID: 1, SID: 101, Start: 2000},   // the inner wrapper, with the outer marker
		{PID: 201, PPID: 200, SID: 201, Start: 2001}, // its monitor
		{PID: 202, PPID: 201, SID: 201, Start: 2002},
		{PID: 203, PPID: 202, SID: 101, Start: 2003}, // a bare one below, in a session of the dead run
	}
	f := fakes{table: table, marks: map[int]proc.Marker{200: own(), 201: inner, 202: inner}}
	for _, step := range f.at(t, deadRun(), liveRun(liveUID, marked+"/"+liveUID)).processes() {
		if step.Verdict != VerdictKeep {
			t.Errorf("process %d: %s, %s", step.Process.PID, step.Verdict, step.Reason)
		}
	}

	outer := liveRun("outer", "outer")
	dead := deadRun()
	dead.Lineage = "outer/" + deadUID
	escaped := proc.Process{PID: 110, PPID: 201, SID: 110, Start: 2100}
	f = fakes{
		table: append(table[:2:2], escaped), marks: map[int]proc.Marker{
			110: {UID: deadUID, Lineage: dead.Lineage}, 200: {}, 201: {UID: "outer", Lineage: "outer"},
		},
	}
	dead.named[process{110, 2100}] = "seen"
	if step, _ := f.at(t, dead, outer).decide(escaped); step.Verdict != VerdictStop {
		t.Errorf("what escaped into its parent's tree: %s, %s", step.Verdict, step.Reason)
	}
}

// A process that dies while it is looked at has no environment, and is nobody's.
func TestDyingProcessIsNobodys(t *testing.T) {
	t.Parallel()
	f := fakes{table: []proc.Process{{PID: 110, PPID: 1, Start: 1100}}}
	sys := f.system()
	sys.marker = func(int) (proc.Marker, error) { return proc.Marker{}, fmt.Errorf("read: %w", proc.ErrGone) }
	s := newScene(sys, heartbeat.Observer{})
	if err := s.look(); err != nil {
		t.Fatal(err)
	}
	s.add(deadRun())
	if steps := s.processes(); len(steps) != 0 {
		t.Errorf("%+v", steps)
	}
	sys.census = func() ([]proc.Process, error) { return nil, errors.New("no table") }
	s.sys = sys
	if s.look() == nil {
		t.Error("a table that cannot be read is no empty one")
	}
}

// Explain names every proof, and who decides.
func TestExplainNamesTheLadder(t *testing.T) {
	t.Parallel()
	p := proc.Process{PID: 300, PPID: 1, PGID: 300, SID: 101, Start: 3000}
	f := fakes{table: []proc.Process{p}, marks: map[int]proc.Marker{300: own()}}
	x := f.at(t, deadRun()).explain(p)
	if x.UID != deadUID || x.Verdict != VerdictStop || len(x.Claims) != 1 || len(x.Claims[0].Rungs) != 5 {
		t.Fatalf("%+v", x)
	}
	for _, r := range x.Claims[0].Rungs {
		if r.Detail == "" || r.Holds != (r.Proof == ProofSession || r.Proof == ProofMarker) {
			t.Errorf("%+v", r)
		}
	}
	stranger := proc.Process{PID: 301, PPID: 1, Start: 3000}
	if x := f.at(t, deadRun()).explain(stranger); x.UID != "" || x.Verdict != VerdictNone || x.Reason == "" {
		t.Errorf("%+v", x)
	}
}
