package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPhaseGraphs(t *testing.T) {
	t.Parallel()
	graphs := map[Kind]string{
		KindReview: "context change-context analysis reviews aggregation discourse synthesis complete",
		KindMap:    "map-context topology flow-analysis requirements-mapping synthesis complete",
		KindFlow:   "",
	}
	for _, k := range Kinds() {
		want := strings.Fields(graphs[k])
		got := Phases(k)
		if len(got) != len(want) {
			t.Fatalf("%s has phases %v, want %v", k, got, want)
		}
		for i, p := range got {
			if string(p) != want[i] || PhaseNumber(k, p) != i+1 {
				t.Errorf("%s: phase %d is %s (numbered %d), want %s", k, i+1, p, PhaseNumber(k, p), want[i])
			}
			checkEdges(t, k, i)
		}
		if len(want) > 0 && (FirstPhase(k) != Phase(want[0]) || got[len(got)-1] != PhaseComplete) {
			t.Errorf("%s begins in %s and ends in %s", k, FirstPhase(k), got[len(got)-1])
		}
	}
}

// checkEdges tries every move from phase number i+1 of a kind: only staying and
// the next phase are legal, and the last phase leads to the first.
func checkEdges(t *testing.T, k Kind, i int) {
	t.Helper()
	phases := Phases(k)
	for j, to := range phases {
		legal := j == i || j == i+1 || (i == len(phases)-1 && j == 0)
		if err := CheckAdvance(k, phases[i], to, false); (err == nil) != legal {
			t.Errorf("%s: %s to %s: %v, want legal = %v", k, phases[i], to, err, legal)
		}
		if err := CheckAdvance(k, phases[i], to, true); (err == nil) != (j == 0) {
			t.Errorf("%s: new round from %s in %s: %v", k, phases[i], to, err)
		}
	}
}

func TestPhaseOutsideItsKind(t *testing.T) {
	t.Parallel()
	if FirstPhase(KindFlow) != "" || FirstPhase("nonsense") != "" {
		t.Error("a kind without phases has a first one")
	}
	if PhaseNumber(KindReview, "topology") != 0 || PhaseNumber(KindFlow, PhaseComplete) != 0 {
		t.Error("a phase has a number outside its kind")
	}
}

func TestPhaseErrorNamesTheWayOut(t *testing.T) {
	t.Parallel()
	cases := []struct {
		kind     Kind
		from, to Phase
		newRound bool
		want     []string
	}{
		{KindReview, "context", "topology", false, []string{`"topology"`, `"review"`, "valid phases", "change-context"}},
		{KindReview, "reviews", PhaseComplete, false, []string{"reviews → complete", "aggregation"}},
		{KindMap, "synthesis", "topology", true, []string{"new round", `"map-context"`, `"topology"`}},
		{KindFlow, "", PhaseComplete, false, []string{`"flow"`}},
	}
	for _, c := range cases {
		err := CheckAdvance(c.kind, c.from, c.to, c.newRound)
		if err == nil {
			t.Errorf("%s: %s to %s is legal", c.kind, c.from, c.to)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %s", err, w)
			}
		}
	}
}

// FuzzCheckAdvance: whatever the words, a legal move ends in a phase of the
// kind, and a refusal is a *PhaseError that speaks of the words it was given.
func FuzzCheckAdvance(f *testing.F) {
	f.Add("review", "context", "change-context", false)
	f.Add("review", "complete", "context", true)
	f.Add("map", "", "topology", false)
	f.Add("flow", "synthesis", "", true)
	f.Fuzz(func(t *testing.T, kind, from, to string, newRound bool) {
		k, a, b := Kind(kind), Phase(from), Phase(to)
		err := CheckAdvance(k, a, b, newRound)
		if err == nil {
			if !slices.Contains(Phases(k), b) || (newRound && b != FirstPhase(k)) {
				t.Fatalf("%s: %q to %q is legal", k, a, b)
			}
			return
		}
		pe, ok := errors.AsType[*PhaseError](err)
		if !ok || pe.Kind != k || pe.From != a || pe.To != b || pe.Error() == "" {
			t.Fatalf("%s: %q to %q: %#v", k, a, b, err)
		}
		if pe.Foreign == slices.Contains(Phases(k), b) {
			t.Fatalf("%q of %s is foreign = %v", b, k, pe.Foreign)
		}
	})
}

func TestCompletenessOf(t *testing.T) {
	t.Parallel()
	cases := []struct {
		closed, artifact, inFlight bool
		want                       Completeness
	}{
		{false, false, false, CompletenessOpenNoArtifact},
		{false, false, true, CompletenessInFlight},
		{false, true, false, CompletenessOpenNoArtifact},
		{false, true, true, CompletenessInFlight},
		{true, false, false, CompletenessClosedWithoutArtifact},
		{true, false, true, CompletenessClosedWithoutArtifact},
		{true, true, false, CompletenessComplete},
		{true, true, true, CompletenessComplete},
	}
	for _, c := range cases {
		if got := CompletenessOf(c.closed, c.artifact, c.inFlight); got != c.want {
			t.Errorf("closed %v, artifact %v, in flight %v: %s, want %s", c.closed, c.artifact, c.inFlight, got, c.want)
		}
	}
}

// TestWorseDecides: of several workflows the worst decides, in whatever order
// they are joined, and one that is not complete is never hidden by another.
func TestWorseDecides(t *testing.T) {
	t.Parallel()
	all := rapid.SampledFrom(append(Completenesses(), CompletenessNone))
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := all.Draw(t, "a"), all.Draw(t, "b"), all.Draw(t, "c")
		switch ab := Worse(a, b); {
		case Worse(a, a) != a:
			t.Fatal("not idempotent")
		case ab != Worse(b, a):
			t.Fatal("not commutative")
		case Worse(ab, c) != Worse(a, Worse(b, c)):
			t.Fatal("not associative")
		case ab != a && ab != b:
			t.Fatal("neither of the two")
		case Worse(CompletenessNone, a) != a || Worse(CompletenessUnreadable, a) != CompletenessUnreadable:
			t.Fatal("ends of the order")
		case (ab == CompletenessNone || ab == CompletenessComplete) && !fine(a, b):
			t.Fatalf("%q and %q make %q", a, b, ab)
		}
	})
}

func fine(all ...Completeness) bool {
	return !slices.ContainsFunc(all, func(c Completeness) bool {
		return c != CompletenessNone && c != CompletenessComplete
	})
}

func TestWorkflowStatusClosed(t *testing.T) {
	t.Parallel()
	open := []WorkflowStatus{WorkflowQueued, WorkflowRunning, WorkflowWaiting, WorkflowBlocked}
	for _, s := range append(WorkflowStatuses(), "nonsense") {
		want := s != "nonsense" && !slices.Contains(open, s)
		if s.Closed() != want {
			t.Errorf("%s is closed = %v", s, s.Closed())
		}
	}
}

func TestTurnAndSessionStates(t *testing.T) {
	t.Parallel()
	for _, s := range append(TurnStates(), TurnNone) {
		if want := s == TurnCompleted || s == TurnInterrupted || s == TurnError; s.Settled() != want {
			t.Errorf("turn %s is settled = %v", s, s.Settled())
		}
	}
	for _, s := range append(SessionStatuses(), "") {
		if want := s == SessionStarting || s == SessionRunning; s.MayHoldTurn() != want {
			t.Errorf("session %s may hold a turn = %v", s, s.MayHoldTurn())
		}
	}
}
