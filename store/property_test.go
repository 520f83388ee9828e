package store_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// life is a ledger under random writes, and what must stay true about it.
type life struct {
	l   *store.Ledger
	now int64
	// ended keeps the first real end of each execution.
	ended map[string]lifecycle.Process
	// asked keeps the first stop request of each execution.
	asked map[string]lifecycle.StoppedBy
	seq   int64
}

// known says whether an error is one a caller can act on.
func known(err error) bool {
	_, phase := errors.AsType[*lifecycle.PhaseError](err)
	return err == nil || phase || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrFenced) ||
		errors.Is(err, store.ErrInvariant) || errors.Is(err, store.ErrNotFound)
}

func (s *life) uid(t *rapid.T) string { return rapid.SampledFrom([]string{"a", "b"}).Draw(t, "uid") }

func (s *life) workflow(t *rapid.T) string {
	return rapid.SampledFrom([]string{"w", "m"}).Draw(t, "workflow")
}

// at is a time that mostly goes forward.
func (s *life) at(t *rapid.T) store.Instant {
	s.now += rapid.Int64Range(-50, 100).Draw(t, "step")
	return storetest.At(max(s.now, 1))
}

func (s *life) try(t *rapid.T, err error) {
	if !known(err) {
		t.Fatalf("unknown error: %v", err)
	}
}

// executionActions are the random writes to executions and turns.
func (s *life) executionActions(t *testing.T) map[string]func(*rapid.T) {
	t.Helper()
	ctx := t.Context()
	return map[string]func(*rapid.T){
		"announce": func(t *rapid.T) {
			uid := s.uid(t)
			a := storetest.Announcement(uid, 100+int(uid[0]), s.at(t).WallMS)
			if rapid.Bool().Draw(t, "linked") {
				a.WorkflowID = s.workflow(t)
			}
			_, err := s.l.Announce(ctx, a)
			s.try(t, err)
		},
		"launch": func(t *rapid.T) {
			uid := s.uid(t)
			s.try(t, s.l.Launched(ctx, storetest.Launch(uid, 200+int(uid[0]), s.at(t).WallMS)))
		},
		"beat": func(t *rapid.T) {
			_, err := s.l.Beat(ctx, store.Beat{UID: s.uid(t), Generation: 1, At: s.at(t)})
			s.try(t, err)
		},
		"suspend":  func(t *rapid.T) { s.try(t, s.l.Suspend(ctx, s.uid(t), 1, s.at(t), 20)) },
		"continue": func(t *rapid.T) { s.try(t, s.l.Continue(ctx, s.uid(t), 1, s.at(t))) },
		"stop": func(t *rapid.T) {
			by := rapid.SampledFrom(lifecycle.Stoppers()).Draw(t, "by")
			_, err := s.l.RequestStop(ctx, s.uid(t), by, s.at(t))
			s.try(t, err)
		},
		"finish": func(t *rapid.T) {
			end := storetest.Exit(s.uid(t), rapid.IntRange(-1, 256).Draw(t, "code"), s.at(t).WallMS)
			end.End = rapid.SampledFrom(lifecycle.ProcessEnds()).Draw(t, "end")
			if end.End == lifecycle.EndLost {
				end.ExitCode = nil
			}
			s.try(t, finish(ctx, s.l, end))
		},
		"report": func(t *rapid.T) {
			_, err := s.l.Report(ctx, s.report(t))
			s.try(t, err)
		},
	}
}

// report is a random event of a session.
func (s *life) report(t *rapid.T) store.SessionReport {
	r := store.SessionReport{
		UID: s.uid(t), Generation: rapid.Int64Range(0, 2).Draw(t, "generation"), At: s.at(t),
		ExternalID: rapid.SampledFrom([]string{"", "", "e1", "e2", "e3"}).Draw(t, "id"),
		Event: lifecycle.SessionEvent{
			Type:    rapid.SampledFrom(lifecycle.SessionEventTypes()).Draw(t, "type"),
			Session: rapid.SampledFrom([]string{"", "s", "nested"}).Draw(t, "session"),
			Turn:    rapid.SampledFrom([]string{"", "t1", "t2", "#1"}).Draw(t, "turn"),
			State:   rapid.SampledFrom([]string{"", "failed", "odd", "ready", "running", "stopped"}).Draw(t, "state"),
		},
	}
	if rapid.Bool().Draw(t, "said") {
		r.SaidMS = s.at(t).WallMS
	}
	return r
}

// workflowActions are the random writes to workflows.
func (s *life) workflowActions(t *testing.T) map[string]func(*rapid.T) {
	t.Helper()
	ctx := t.Context()
	kinds := map[string]lifecycle.Kind{"w": lifecycle.KindReview, "m": lifecycle.KindMap}
	return map[string]func(*rapid.T){
		"begin": func(t *rapid.T) {
			id := s.workflow(t)
			_, _, err := s.l.BeginWorkflow(ctx, store.Begin{ID: id, Kind: kinds[id], UID: s.uid(t), At: s.at(t)})
			s.try(t, err)
		},
		"advance": func(t *rapid.T) {
			id := s.workflow(t)
			w, err := s.l.Workflow(ctx, id)
			s.try(t, err)
			phases := lifecycle.Phases(kinds[id])
			// Mostly the next phase, or a random walk would never arrive.
			next := phases[lifecycle.PhaseNumber(kinds[id], w.Phase)%len(phases)]
			if rapid.IntRange(0, 3).Draw(t, "lost") == 0 {
				next = rapid.SampledFrom(phases).Draw(t, "phase")
			}
			_, err = s.l.AdvanceWorkflow(ctx, store.Advance{ID: id, Phase: next, Round: rapid.IntRange(0, 3).Draw(t, "round"), At: s.at(t)})
			s.try(t, err)
		},
		"complete": func(t *rapid.T) {
			_, _, err := s.l.CompleteRound(ctx, store.CompleteRound{ID: s.workflow(t), Round: rapid.IntRange(0, 2).Draw(t, "round"), At: s.at(t)})
			s.try(t, err)
		},
		"close": func(t *rapid.T) {
			_, _, err := s.l.FinishWorkflow(ctx, store.FinishWorkflow{ID: s.workflow(t), UID: s.uid(t), Abort: rapid.Bool().Draw(t, "abort"), At: s.at(t)})
			s.try(t, err)
		},
	}
}

// check is what must be true after every write.
func (s *life) check(t *testing.T) func(*rapid.T) {
	t.Helper()
	ctx := t.Context()
	return func(t *rapid.T) {
		seq, err := s.l.LastSeq(ctx)
		if err != nil || seq < s.seq {
			t.Fatalf("history went from %d to %d, %v", s.seq, seq, err)
		}
		s.seq = seq
		found, err := s.l.Executions(ctx, store.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			s.checkExecution(t, e)
		}
		all, err := s.l.Workflows(ctx, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range all {
			if w.Status == lifecycle.WorkflowSucceeded && !w.HasArtifact {
				t.Fatalf("success without an artifact: %+v", w)
			}
		}
	}
}

// checkExecution: a real end and the first stop request stay as they are, and
// an ended run has no open turn.
func (s *life) checkExecution(t *rapid.T, e store.Execution) {
	if first, ok := s.ended[e.UID]; ok && fmt.Sprint(first.End, *first.ExitCode) != fmt.Sprint(e.Process.End, *e.Process.ExitCode) {
		t.Fatalf("%s ended as %+v and then as %+v", e.UID, first, e.Process)
	}
	if e.Process.End.Over() && e.Process.End != lifecycle.EndLost {
		s.ended[e.UID] = e.Process
	}
	if first, ok := s.asked[e.UID]; ok && first != e.StopRequested {
		t.Fatalf("%s was asked to stop by %s and then by %q", e.UID, first, e.StopRequested)
	}
	if e.StopRequested != "" {
		s.asked[e.UID] = e.StopRequested
	}
	if open := e.Turn == lifecycle.TurnPending || e.Turn == lifecycle.TurnRunning; open && e.Process.End.Over() {
		t.Fatalf("%s has ended with its turn %s", e.UID, e.Turn)
	}
	if e.Process.End.Over() && e.EndedAtMS < max(e.StartedAtMS, e.At.WallMS) {
		t.Fatalf("%s ended before it began: %+v", e.UID, e)
	}
}

func TestWhateverIsWrittenTheRulesHold(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		// One goroutine: a few lives show the race detector all there is.
		if n++; raceDetector && n > 15 {
			return
		}
		l, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, fmt.Sprint(n))})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := l.Close(); err != nil {
				rt.Error(err)
			}
		}()
		s := &life{l: l, ended: map[string]lifecycle.Process{}, asked: map[string]lifecycle.StoppedBy{}}
		actions := s.executionActions(t)
		maps.Copy(actions, s.workflowActions(t))
		check, steps := s.check(t), 0
		actions[""] = func(t *rapid.T) {
			if steps++; steps%5 == 0 {
				check(t)
			}
		}
		rt.Repeat(actions)
		check(rt)
	})
}
