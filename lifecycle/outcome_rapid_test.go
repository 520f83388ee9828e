package lifecycle

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyProcess draws ends that can be stored and some that cannot: the verdict
// has to be total over what is read back from a file.
func anyProcess(t *rapid.T) Process {
	p := Process{
		End:        rapid.SampledFrom(append(ProcessEnds(), "")).Draw(t, "end"),
		StoppedBy:  rapid.SampledFrom(append(Stoppers(), StoppedByNobody)).Draw(t, "stopped by"),
		StopFailed: rapid.Bool().Draw(t, "stop failed"),
		CoreDumped: rapid.Bool().Draw(t, "core"),
	}
	if rapid.Bool().Draw(t, "has code") {
		p.ExitCode = new(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 75, 130, 255}).Draw(t, "code"))
	}
	if rapid.Bool().Draw(t, "has signal") {
		p.Signal = new(rapid.IntRange(1, 64).Draw(t, "signal"))
	}
	return p
}

func anyEvidence(t *rapid.T) Evidence {
	return Evidence{
		Source:     rapid.SampledFrom(EvidenceSources()).Draw(t, "source"),
		Points:     rapid.SampledFrom(append(Causes(), "")).Draw(t, "points"),
		TurnFailed: rapid.Float64Range(0, 1).Draw(t, "turn failed") < 0.2,
		AtMS:       rapid.Int64().Draw(t, "at"),
	}
}

func anyFacts(t *rapid.T) Facts {
	return Facts{
		Process:  anyProcess(t),
		Workflow: rapid.SampledFrom(append(Completenesses(), CompletenessNone)).Draw(t, "workflow"),
		Turn:     rapid.SampledFrom(append(TurnStates(), TurnNone, "")).Draw(t, "turn"),
		Agent:    rapid.Bool().Draw(t, "agent"),
		Evidence: rapid.SliceOfN(rapid.Custom(anyEvidence), 0, 5).Draw(t, "evidence"),
	}
}

func TestVerdictIsTotalAndClosed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		before := slices.Clone(f.Evidence)
		v := Judge(f)
		if !slices.Contains(Outcomes(), v.Outcome) {
			t.Fatalf("%q is no outcome", v.Outcome)
		}
		if running := v.Outcome == OutcomeRunning; running == f.Process.End.Over() || running != (v.Cause == "") {
			t.Fatalf("%v of an end %q", v, f.Process.End)
		}
		if v.Cause != "" && !slices.Contains(Causes(), v.Cause) {
			t.Fatalf("%q is no cause", v.Cause)
		}
		if again := Judge(f); again != v {
			t.Fatalf("judged again: %v, before: %v", again, v)
		}
		if !slices.Equal(before, f.Evidence) {
			t.Fatal("judging changed the evidence")
		}
	})
}

func TestSuccessNeedsEveryFactInFavour(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		p := f.Process
		good := p.End == EndExited && p.ExitCode != nil && *p.ExitCode == 0 &&
			(p.StoppedBy == StoppedByNobody || p.StopFailed) &&
			(f.Workflow == CompletenessNone || f.Workflow == CompletenessComplete) &&
			slices.Contains([]TurnState{"", TurnNone, TurnCompleted}, f.Turn) &&
			!slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.TurnFailed })
		if got := Judge(f).Outcome == OutcomeSuccess; got != good {
			t.Fatalf("success = %v, but the facts say %v", got, good)
		}
	})
}

// TestMoreFactsNeverImprove adds bad news to a judged run: the only way an
// outcome may move is from success to incomplete.
func TestMoreFactsNeverImprove(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		before := Judge(f).Outcome
		worse := f
		switch rapid.IntRange(0, 3).Draw(t, "news") {
		case 0:
			worse.Evidence = append(slices.Clone(f.Evidence), anyEvidence(t))
		case 1:
			worse.Evidence = append(slices.Clone(f.Evidence), Evidence{Source: SourceHook, TurnFailed: true})
		case 2:
			worse.Workflow = Worse(f.Workflow, rapid.SampledFrom(Completenesses()).Draw(t, "worse"))
		default:
			worse.Turn = rapid.SampledFrom([]TurnState{TurnPending, TurnRunning, TurnInterrupted, TurnError}).Draw(t, "turn")
		}
		after := Judge(worse).Outcome
		if after != before && (before != OutcomeSuccess || after != OutcomeIncomplete) {
			t.Fatalf("%s became %s", before, after)
		}
	})
}

// TestWorkCannotExcuseTheProcess: a failed or cancelled process stays that,
// however far the work got.
func TestWorkCannotExcuseTheProcess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		before := Judge(f).Outcome
		if before != OutcomeFailed && before != OutcomeCancelled {
			t.Skip("not about the process")
		}
		other := anyFacts(t)
		other.Process = f.Process
		if after := Judge(other).Outcome; after != before {
			t.Fatalf("%s became %s by other work", before, after)
		}
	})
}

func TestOutcomeIgnoresTheOrderOfEvidence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		g := f
		g.Evidence = rapid.Permutation(f.Evidence).Draw(t, "other order")
		if Judge(f).Outcome != Judge(g).Outcome {
			t.Fatalf("%v became %v", Judge(f), Judge(g))
		}
	})
}
