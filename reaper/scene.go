package reaper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// system is what a sweep asks the operating system for.
type system struct {
	census    func() ([]proc.Process, error)
	marker    func(pid int) (proc.Marker, error)
	args      func(pid int) ([]string, error)
	cgroup    func(pid int) (string, error)
	members   func(cgroup string) []int
	holds     func(pid int, terminal string) bool
	protected func() map[int]bool
}

// thisSystem is the real one. It is not for several goroutines at a time.
func thisSystem() system {
	var reader proc.MarkerReader
	return system{
		census: proc.All, marker: reader.Read, args: proc.Args, cgroup: proc.Cgroup, members: membersOf,
		holds: proc.HoldsDeadTerminal, protected: proc.Protected,
	}
}

// membersOf lists who is in a run's control group; nobody is in one that is gone.
func membersOf(cgroup string) []int {
	g, ok := proc.GroupAt(cgroup)
	if !ok {
		return nil
	}
	pids, _ := g.Members() // what cannot be listed is found by other proofs, or not at all
	return pids
}

// mark is a marker, or why it could not be read.
type mark struct {
	proc.Marker
	err error
}

// scene is one picture of the machine and of what the ledger says about it. All
// decisions about processes are functions of a scene.
type scene struct {
	sys       system
	at        heartbeat.Observer
	table     []proc.Process
	byPID     map[int]proc.Process
	children  map[int][]int // nil until somebody asks
	marks     map[int]mark
	protected map[int]bool

	// runs are the executions known here, by uid; order is how they were found.
	runs  map[string]*run
	order []string
	// byProcess and byLeader lead from a process to the runs that name it or have
	// made its session or group.
	byProcess map[process][]*run
	byLeader  map[int][]*run
	// byGroup leads from a pid to the runs whose control group it is in; nil until
	// somebody asks.
	byGroup map[int][]*run
	// wrappers are the processes of living runs that look after them.
	wrappers map[process]*run
	// spared remembers the answers of kept.
	spared map[int]sparing
}

// sceneOf takes the picture. The table comes first: a run that began since then
// is found by its marker and seen as it is, alive.
func sceneOf(ctx context.Context, l *store.Ledger, stateDir string, at heartbeat.Observer, sys system) (*scene, error) {
	s := newScene(sys, at)
	if err := s.look(); err != nil {
		return nil, err
	}
	open, err := l.Unsettled(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range open {
		s.add(newRun(e, at))
	}
	return s, s.recall(ctx, l, append(s.markedUIDs(), filedUIDs(stateDir)...))
}

// newScene is an empty picture.
func newScene(sys system, at heartbeat.Observer) *scene {
	return &scene{
		sys: sys, at: at, runs: map[string]*run{}, byProcess: map[process][]*run{}, byLeader: map[int][]*run{},
		wrappers: map[process]*run{},
	}
}

// look reads the process table anew; what was read of environments is forgotten,
// for a process may have become another program.
func (s *scene) look() error {
	table, err := s.sys.census()
	if err != nil {
		return fmt.Errorf("look at processes: %w", err)
	}
	s.table, s.byPID = table, make(map[int]proc.Process, len(table))
	s.marks, s.spared, s.byGroup = make(map[int]mark, len(table)), map[int]sparing{}, nil
	s.protected = s.sys.protected()
	s.children = nil
	for _, p := range table {
		s.byPID[p.PID] = p
	}
	return nil
}

// childrenOf are the pids of a process's children.
func (s *scene) childrenOf(pid int) []int {
	if s.children == nil {
		s.children = make(map[int][]int, len(s.table))
		for _, p := range s.table {
			s.children[p.PPID] = append(s.children[p.PPID], p.PID)
		}
	}
	return s.children[pid]
}

// add makes a run known.
func (s *scene) add(r *run) {
	if s.runs[r.UID] != nil {
		return
	}
	s.runs[r.UID], s.order, s.byGroup = r, append(s.order, r.UID), nil
	for id := range r.named {
		s.byProcess[id] = append(s.byProcess[id], r)
	}
	for id := range r.leaders {
		s.byLeader[id] = append(s.byLeader[id], r)
	}
	if r.standing == StandingLive {
		s.revive(r)
	}
}

// revive takes a run for one that is looked after.
func (s *scene) revive(r *run) {
	r.standing = StandingLive
	for _, id := range []store.Identity{r.Wrapper, r.Launch.Monitor} {
		pid := id.PID
		if r.afar {
			pid = whereIs(id, s.at).pid
		}
		if pid != 0 {
			s.wrappers[process{pid, id.StartTicks}] = r
		}
	}
}

// recall reads the rows of the uids from the ledger. A uid that is not in it is of
// another ledger, or made up.
func (s *scene) recall(ctx context.Context, l *store.Ledger, uids []string) error {
	asked := map[string]bool{}
	for _, uid := range uids {
		if asked[uid] || s.runs[uid] != nil {
			continue
		}
		asked[uid] = true
		e, err := l.Execution(ctx, uid)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		s.add(newRun(e, s.at))
	}
	return nil
}

// marker is the marker of a process, asked for once.
func (s *scene) marker(pid int) mark {
	m, known := s.marks[pid]
	if !known {
		m.Marker, m.err = s.sys.marker(pid)
		s.marks[pid] = m
	}
	return m
}

// markedUIDs are the executions that the living processes are marked with.
func (s *scene) markedUIDs() []string {
	var uids []string
	for _, p := range s.table {
		if p.Dead() || isKernels(p) {
			continue
		}
		if m := s.marker(p.PID); m.UID != "" {
			uids = append(uids, m.UID)
		}
	}
	return uids
}

// kthreadd is the parent of the kernel's own threads on Linux.
const kthreadd = 2

// isKernels says whether a process is a thread of the kernel, which has no
// environment. In a pid namespace the second process is one like any other, but
// then it and its children have a group or a session.
func isKernels(p proc.Process) bool {
	return (p.PPID == kthreadd || p.PID == kthreadd) && p.PGID == 0 && p.SID == 0
}

// filedUIDs are the executions with a run file: those that live, and those whose
// end left something to look after.
func filedUIDs(stateDir string) []string {
	entries, err := os.ReadDir(runFiles(stateDir))
	if err != nil {
		return nil // without the directory there is no run file either
	}
	var uids []string
	for _, e := range entries {
		if e.Type() == fs.ModeDir || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		uids = append(uids, e.Name())
	}
	return uids
}

// runFiles is where the run files of a state directory lie.
func runFiles(stateDir string) string { return filepath.Dir(runfile.Path(stateDir, "x")) }

// grouped are the runs whose control group a process is in. The groups are asked,
// and not the processes: most runs have none, and most processes are in none.
func (s *scene) grouped(pid int) []*run {
	if s.byGroup == nil {
		s.byGroup = map[int][]*run{}
		for _, uid := range s.order {
			r := s.runs[uid]
			if r.Launch.Cgroup == "" || r.standing == StandingElsewhere {
				continue
			}
			for _, pid := range s.sys.members(r.Launch.Cgroup) {
				s.byGroup[pid] = append(s.byGroup[pid], r)
			}
		}
	}
	return s.byGroup[pid]
}

// candidates are the runs a process may belong to: the one it is marked with
// first, then those that name it or somebody above it, have made its session or
// group, or have it in their control group.
func (s *scene) candidates(p proc.Process) []*run {
	if len(s.runs) == 0 {
		return nil
	}
	var found []*run
	add := func(all ...*run) {
		for _, r := range all {
			if r != nil && !slices.Contains(found, r) {
				found = append(found, r)
			}
		}
	}
	add(s.runs[s.marker(p.PID).UID])
	add(s.byProcess[identityOf(p)]...)
	add(s.byLeader[p.SID]...)
	add(s.byLeader[p.PGID]...)
	add(s.grouped(p.PID)...)
	if len(s.byProcess) == 0 {
		return found
	}
	below := p
	for range maxDepth {
		up, ok := s.byPID[below.PPID]
		if !ok || up.PID <= 1 {
			break
		}
		add(s.byProcess[identityOf(up)]...)
		below = up
	}
	return found
}
