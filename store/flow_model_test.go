package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// modelFlow is a flow as a reader of the documentation imagines it.
type modelFlow struct {
	id, status, why string
	asked           bool
	revision        int64
	limit           int
	runs            []*modelRun
}

// modelRun is a run of it.
type modelRun struct {
	uid string
	// state is queued, running, ended or lost.
	state string
	asked bool
}

func (f *modelFlow) count(state string) (n int) {
	for _, r := range f.runs {
		if r.state == state {
			n++
		}
	}
	return n
}

func (f *modelFlow) live() int { return f.count("queued") + f.count("running") }

func (f *modelFlow) over() bool {
	return slices.Contains([]string{"succeeded", "failed", "cancelled"}, f.status)
}

// become is one change of the flow.
func (f *modelFlow) become(status, why string) {
	f.status, f.why = status, why
	f.revision++
}

// closedFor is the word that keeps everybody out, empty while it is open.
func (f *modelFlow) closedFor() lifecycle.FlowRefusal {
	switch {
	case f.asked:
		return lifecycle.FlowCancelRequested
	case f.over():
		return lifecycle.FlowTerminal
	}
	return ""
}

// settle is what happens by itself when a run has ended.
func (f *modelFlow) settle() {
	lost, known := f.count("lost"), f.count("ended")
	switch {
	case f.over():
	case f.asked && f.live() == 0:
		f.become("cancelled", "cancelled")
	case f.asked:
	case f.status == "running" && f.live() == 0 && lost > 0 && known == 0:
		f.become("blocked", "child_lost")
	case known > 0 && (f.status == "queued" || f.status == "blocked" && f.why == "child_lost"):
		f.become("running", "child_back")
	}
}

// flowModel runs the ledger and the model side by side. The ledger is open several
// times over, as in several processes; each step takes one of them.
type flowModel struct {
	path  string
	open  []*store.Ledger
	db    *sql.DB
	flows []*modelFlow
	ms    int64
	n     int
}

func (m *flowModel) at() store.Instant { m.ms++; return storetest.At(m.ms) }

func (m *flowModel) ledger(t *rapid.T) *store.Ledger {
	return rapid.SampledFrom(m.open).Draw(t, "process")
}

func (m *flowModel) flow(t *rapid.T) *modelFlow {
	if len(m.flows) == 0 {
		t.Skip("there is no flow yet")
	}
	return rapid.SampledFrom(m.flows).Draw(t, "flow")
}

func (m *flowModel) aRun(t *rapid.T) (*modelFlow, *modelRun) {
	f := m.flow(t)
	if len(f.runs) == 0 {
		t.Skip("nothing runs in it")
	}
	return f, rapid.SampledFrom(f.runs).Draw(t, "run")
}

// actions are the random steps.
func (m *flowModel) actions(tt *testing.T) map[string]func(*rapid.T) {
	tt.Helper()
	ctx := tt.Context()
	actions := map[string]func(*rapid.T){
		"create": func(t *rapid.T) {
			if len(m.flows) == 4 {
				t.Skip("enough flows")
			}
			f := &modelFlow{id: fmt.Sprintf("f%d", len(m.flows)), status: "queued", why: "created", revision: 1}
			f.limit = rapid.IntRange(0, 2).Draw(t, "limit")
			_, created, refused, err := m.ledger(t).CreateFlow(ctx, store.NewFlow{ID: f.id, Owner: "me", Workspace: "/w", MaxParallel: f.limit, At: m.at()})
			if !created || refused != "" || err != nil {
				t.Fatalf("create: %v, %q, %v", created, refused, err)
			}
			m.flows = append(m.flows, f)
		},
		"cancel": func(t *rapid.T) {
			f := m.flow(t)
			a, err := m.ledger(t).CancelFlow(ctx, store.FlowCancel{ID: f.id, At: m.at()})
			var stopping []string
			if !f.over() && !f.asked {
				f.asked, f.revision = true, f.revision+1
			}
			for _, r := range f.runs {
				if !r.asked && (r.state == "queued" || r.state == "running") {
					r.asked, stopping = true, append(stopping, r.uid)
				}
			}
			f.settle()
			if err != nil || a.Refused != "" || fmt.Sprint(a.Stopping) != fmt.Sprint(stopping) {
				t.Fatalf("cancel of %+v: %+v, %v, want %v to be stopped", f, a, err, stopping)
			}
		},
		"slot":      func(t *rapid.T) { m.slot(t, tt) },
		"run":       func(t *rapid.T) { m.run(t, tt) },
		"end":       func(t *rapid.T) { m.end(t, tt, "ended") },
		"end again": func(t *rapid.T) { m.end(t, tt, "ended") },
		"lose":      func(t *rapid.T) { m.end(t, tt, "lost") },
		"kill": func(t *rapid.T) {
			i := rapid.IntRange(0, len(m.open)-1).Draw(t, "process")
			if err := m.open[i].Close(); err != nil {
				t.Fatal(err)
			}
			m.open[i] = m.reopen(t, tt)
		},
	}
	for _, move := range lifecycle.FlowMoves()[1:] {
		actions[string(move)] = func(t *rapid.T) { m.move(t, tt, move) }
	}
	return actions
}

func (m *flowModel) reopen(t *rapid.T, tt *testing.T) *store.Ledger {
	tt.Helper()
	l, err := store.Open(tt.Context(), store.Config{Path: m.path})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run commits a run, or is told why not.
func (m *flowModel) run(t *rapid.T, tt *testing.T) {
	tt.Helper()
	f := m.flow(t)
	m.n++
	r := &modelRun{uid: fmt.Sprintf("u%d", m.n), state: "running"}
	a := storetest.Announcement(r.uid, 100+m.n, m.at().WallMS)
	a.FlowID, a.Queued = f.id, rapid.Bool().Draw(t, "queued")
	if a.Queued || f.limit > 0 {
		r.state = "queued"
	}
	ask := lifecycle.FlowAsk{Revision: rapid.SampledFrom([]int64{0, 0, f.revision, 99}).Draw(t, "revision")}
	got, err := m.ledger(t).RunInFlow(tt.Context(), store.FlowRun{Announcement: a, Ask: ask})
	want := f.closedFor()
	if want == "" && ask.Revision == 99 {
		want = lifecycle.FlowRevisionConflict
	}
	if err != nil || got.Refused != want || got.Created != (want == "") {
		t.Fatalf("run in %+v: %+v, %v, want %q", f, got, err, want)
	}
	if want != "" {
		return
	}
	f.runs = append(f.runs, r)
	if f.status == "queued" || f.status == "blocked" && f.why == "child_lost" {
		f.become("running", "started")
	}
}

// end ends a run as the real end or as a lost one; a lost one learns its real end.
func (m *flowModel) end(t *rapid.T, tt *testing.T, how string) {
	tt.Helper()
	f, r := m.aRun(t)
	e := storetest.Exit(r.uid, 0, m.at().WallMS)
	if how == "lost" {
		e = lost(r.uid, m.ms)
	}
	if err := finish(tt.Context(), m.ledger(t), e); err != nil {
		t.Fatal(err)
	}
	if r.state == "ended" || r.state == "lost" && how == "lost" {
		return
	}
	r.state = how
	f.settle()
}

// slot asks for a turn.
func (m *flowModel) slot(t *rapid.T, tt *testing.T) {
	tt.Helper()
	f, r := m.aRun(t)
	own := rapid.IntRange(0, 2).Draw(t, "limit")
	limit := max(own, f.limit)
	if own > 0 && f.limit > 0 {
		limit = min(own, f.limit)
	}
	ahead := 0
	for _, other := range f.runs {
		before := slices.Index(f.runs, other) < slices.Index(f.runs, r)
		if other.state == "running" || other.state == "queued" && before {
			ahead++
		}
	}
	a, err := m.ledger(t).TakeSlot(tt.Context(), store.SlotRequest{UID: r.uid, Generation: 1, Limit: own})
	want := r.state == "queued" && !r.asked && f.closedFor() == "" && ahead < max(limit, 1)
	if err != nil || a.Taken != want {
		t.Fatalf("slot for %+v in %+v: %+v, %v, want %v", r, f, a, err, want)
	}
	if want {
		r.state = "running"
	}
}

// move makes a move of the controller.
func (m *flowModel) move(t *rapid.T, tt *testing.T, move lifecycle.FlowMove) {
	tt.Helper()
	f := m.flow(t)
	got, refused, err := m.ledger(t).ChangeFlow(tt.Context(), store.FlowChange{ID: f.id, Move: move, At: m.at()})
	want := f.closedFor()
	idle := f.status != "waiting" && f.status != "blocked"
	if want == "" && (move == lifecycle.FlowResume && idle || move == lifecycle.FlowFinish && f.status == "queued") {
		want = lifecycle.FlowInvalidTransition
	}
	if err != nil || refused != want {
		t.Fatalf("%s of %+v: %+v, %q, %v, want %q", move, f, got, refused, err, want)
	}
	if want != "" {
		return
	}
	resumed := "running"
	if f.live() == 0 && f.count("ended") == 0 {
		resumed = "queued"
	}
	f.become(map[lifecycle.FlowMove]string{
		lifecycle.FlowWait: "waiting", lifecycle.FlowBlock: "blocked", lifecycle.FlowResume: resumed,
		lifecycle.FlowFinish: "succeeded", lifecycle.FlowFail: "failed",
	}[move], map[lifecycle.FlowMove]string{
		lifecycle.FlowWait: "waiting", lifecycle.FlowBlock: "blocked", lifecycle.FlowResume: "resumed",
		lifecycle.FlowFinish: "finished", lifecycle.FlowFail: "failed",
	}[move])
	for _, r := range f.runs {
		r.asked = r.asked || f.over() && (r.state == "queued" || r.state == "running")
	}
}

// check holds the ledger, from a raw connection, against the rules and the model.
func (m *flowModel) check(t *rapid.T, tt *testing.T) {
	tt.Helper()
	storetest.CheckFlows(tt, m.db)
	for _, f := range m.flows {
		got, err := m.open[0].Flow(tt.Context(), f.id)
		have := []any{string(got.Status), string(got.Why), got.CancelRequestedAtMS != 0, got.Revision, got.Queued, got.Running, got.Ended, got.Lost}
		want := []any{f.status, f.why, f.asked, f.revision, f.count("queued"), f.count("running"), f.count("ended") + f.count("lost"), f.count("lost")}
		if err != nil || fmt.Sprint(have) != fmt.Sprint(want) {
			t.Fatalf("flow %s is %v, %v, the model %v", f.id, have, err, want)
		}
	}
}

// flowLivesVariable sets how many random lives of flows are lived; no more than
// there are checks (-rapid.checks).
const flowLivesVariable = "OCR_RUN_FLOW_LIVES"

// Whatever is asked of flows, in whatever order and by whichever process, the ledger
// does what the model does, and no rule is broken after any step.
func TestFlowsDoAsTheModel(t *testing.T) {
	t.Parallel()
	dir, n, most := t.TempDir(), 0, 15
	if raceDetector {
		most = 2 // one goroutine: a few lives show the race detector all there is
	}
	if v, err := strconv.Atoi(os.Getenv(flowLivesVariable)); err == nil {
		most = v
	}
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > most {
			return
		}
		m := &flowModel{path: filepath.Join(dir, fmt.Sprint(n)), ms: 1000}
		for range 3 {
			m.open = append(m.open, m.reopen(rt, t))
		}
		defer func() {
			for _, l := range m.open {
				if err := l.Close(); err != nil {
					rt.Error(err)
				}
			}
		}()
		m.db = storetest.Raw(t, m.path)
		actions := m.actions(t)
		actions[""] = func(rt *rapid.T) { m.check(rt, t) }
		rt.Repeat(actions)
	})
}
