package store_test

import (
	"context"
	"os"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// remove takes the ledger away under the desk.
func (d *desk) remove(t *testing.T) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		must(t, os.RemoveAll(d.path+suffix))
	}
}

// loseReview takes the ledger away under a run that is at a review.
func (d *desk) loseReview(t *testing.T) {
	t.Helper()
	d.live(t)
	l, err := d.Ledger(t.Context())
	must(t, err)
	beginReview(t, l, "w", "u1", 2100)
	d.remove(t)
}

// wholeReview begins, completes and finishes a review.
func wholeReview(t *testing.T, l *store.Ledger, id string) {
	t.Helper()
	beginReview(t, l, id, "u1", 2100)
	completeRound(t, l, id, 2200)
	finishWorkflow(t, l, id, "u1", 2300)
}

// TestWorkGoesNotWithTheLedger: what a run worked on stays known when the ledger is
// removed under it, or counts as unreadable; a run without work has lost none.
func TestWorkGoesNotWithTheLedger(t *testing.T) {
	t.Parallel()
	const unreadable, complete, none = lifecycle.CompletenessUnreadable, lifecycle.CompletenessComplete, lifecycle.CompletenessNone
	begin := func(id string) func(*testing.T, *store.Ledger) {
		return func(t *testing.T, l *store.Ledger) { t.Helper(); beginReview(t, l, id, "u1", 2100) }
	}
	review := func(id string) func(*testing.T, *store.Ledger) {
		return func(t *testing.T, l *store.Ledger) { t.Helper(); wholeReview(t, l, id) }
	}
	both := func(t *testing.T, l *store.Ledger) { t.Helper(); begin("v")(t, l); begin("w")(t, l) }
	turn := func(types ...lifecycle.SessionEventType) func(*testing.T, *store.Ledger) {
		return func(t *testing.T, l *store.Ledger) {
			t.Helper()
			for _, what := range types {
				_, err := l.Report(t.Context(), told(what, "7", 3000))
				must(t, err)
			}
		}
	}
	nothing := func(*testing.T, *store.Ledger) {}
	deleted := func(t *testing.T, l *store.Ledger) {
		t.Helper()
		_, err := raw(t, l.Path(), "").ExecContext(t.Context(), `DROP TRIGGER executions_kept; PRAGMA foreign_keys = OFF; DELETE FROM executions`)
		must(t, err)
	}
	for name, c := range map[string]struct {
		before, after func(*testing.T, *store.Ledger)
		want          lifecycle.Completeness
	}{
		"nothing":                    {nothing, nothing, none},
		"open review":                {begin("w"), nothing, unreadable},
		"complete review":            {review("w"), nothing, complete},
		"open review, done again":    {begin("w"), review("w"), complete},
		"open review, another after": {begin("w"), review("v"), unreadable},
		"two open, one done again":   {both, review("w"), unreadable},
		"review begun after":         {nothing, begin("w"), lifecycle.CompletenessOpenNoArtifact},
		"open turn":                  {turn(lifecycle.SessionEventTurnStarted), nothing, unreadable},
		"failed turn":                {turn(lifecycle.SessionEventTurnStarted, lifecycle.SessionEventTurnAborted), nothing, unreadable},
		"completed turn":             {turn(lifecycle.SessionEventTurnStarted, lifecycle.SessionEventTurnCompleted), nothing, none},
		"open turn, completed after": {turn(lifecycle.SessionEventTurnStarted), turn(lifecycle.SessionEventTurnCompleted), none},
		"row gone before":            {deleted, nothing, unreadable},
		"row gone, review after":     {deleted, review("w"), complete},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, l := liveDesk(t)
			c.before(t, l)
			d.remove(t)
			d.beat(t)
			l, err := d.Ledger(t.Context())
			must(t, err)
			c.after(t, l)
			d.wantLost(t, c.want)
		})
	}
}

// wantLost ends the run and looks for how far its work got by the ledger.
func (d *desk) wantLost(t *testing.T, want lifecycle.Completeness) {
	t.Helper()
	alone, err := d.Finish(t.Context(), storetest.Exit("u1", 0, 9000))
	must(t, err)
	l, err := d.Ledger(t.Context())
	must(t, err)
	e := execution(t, l, "u1")
	if got := completenessOf(e.Workflow); got != want || alone && want != lifecycle.CompletenessNone {
		t.Errorf("the work is %q, alone %v, want %q", got, alone, want)
	}
	if told := len(e.Evidence) > 0; told != (want == lifecycle.CompletenessUnreadable) {
		t.Errorf("evidence is %+v", e.Evidence)
	}
}

// TestLostWhileNobodyWaits: a look at the ledger that is called off over it, as at the end
// of a run, reads what is lost all the same.
func TestLostWhileNobodyWaits(t *testing.T) {
	t.Parallel()
	d, l := liveDesk(t)
	wholeReview(t, l, "w")
	d.remove(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = d.Ledger(ctx)
	d.wantLost(t, lifecycle.CompletenessComplete)
}

// TestLostWorkGoesThroughTheSpool: the end of a run whose ledger went for good says what
// was lost when the next one takes it in.
func TestLostWorkGoesThroughTheSpool(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.loseReview(t)
	d.away.Store(true)
	end := storetest.Exit("u1", 0, 9000)
	must(t, finish(t.Context(), d, end))
	d.AddLost(t.Context(), &end)
	if end.HostWorkflow == nil || end.HostWorkflow.Completeness != lifecycle.CompletenessUnreadable {
		t.Errorf("the end is %+v", end)
	}
	e := execution(t, d.takeIn(t, 2), "u1")
	if e.Workflow == nil || e.Workflow.ID != "w" || e.Workflow.Completeness != lifecycle.CompletenessUnreadable || e.Workflow.Hosted {
		t.Errorf("the work is %+v", e.Workflow)
	}
}

// TestTheFileAloneIsRemoved: what is left beside it is no part of the next one, though
// somebody has it open still.
func TestTheFileAloneIsRemoved(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	other := storetest.Open(t, d.path)
	_, err := raw(t, d.path, "").ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	must(t, err)
	_, err = other.Announce(t.Context(), storetest.Announcement("u2", 3000, 2))
	must(t, err)
	must(t, os.Remove(d.path))
	d.beat(t)
	d.wantLost(t, lifecycle.CompletenessNone)
	must(t, store.Check(t.Context(), d.path))
	if _, err := os.Stat(d.path + "-wal.old"); err != nil {
		t.Errorf("the old log is gone: %v", err)
	}
}

// TestWorkBegunBeforeTheRow: what a run begins in a new ledger before its row is there is
// its work all the same.
func TestWorkBegunBeforeTheRow(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	d.remove(t)
	l := storetest.Open(t, d.path)
	if got := beginReview(t, l, "w", "u1", 6000); got.Linked {
		t.Error("it is linked to a row that is not there")
	}
	d.wantLost(t, lifecycle.CompletenessOpenNoArtifact)
}

// TestWorkEndedBeforeTheRow: so is what has ended before that, though a row takes no link to
// it any more.
func TestWorkEndedBeforeTheRow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(*testing.T, *store.Ledger)
		want lifecycle.Completeness
	}{
		"complete": {func(t *testing.T, l *store.Ledger) {
			t.Helper()
			completeRound(t, l, "w", 6100)
			finishWorkflow(t, l, "w", "u1", 6200)
		}, lifecycle.CompletenessComplete},
		"aborted": {func(t *testing.T, l *store.Ledger) { t.Helper(); aborted(t, l, "w", 6200) }, lifecycle.CompletenessUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.live(t)
			d.remove(t)
			l := storetest.Open(t, d.path)
			beginReview(t, l, "w", "u1", 6000)
			c.end(t, l)
			d.wantLost(t, c.want)
		})
	}
}

// TestALedgerThatIsBusyAgain: a run that had no work has lost none, however often it takes
// to write it anew.
func TestALedgerThatIsBusyAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	d.remove(t)
	l := storetest.Open(t, d.path)
	free := hold(t, l.Path())
	d.beatInVain(t)
	free()
	d.beat(t)
	d.wantLost(t, lifecycle.CompletenessNone)
}

// TestLostWorkDoneAgain: what was done again in the new ledger is not lost, also where that is
// busy when the run ends.
func TestLostWorkDoneAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.loseReview(t)
	d.beat(t)
	l, err := d.Ledger(t.Context())
	must(t, err)
	wholeReview(t, l, "w")
	free := hold(t, l.Path())
	must(t, finish(t.Context(), d, storetest.Exit("u1", 0, 9000)))
	free()
	e := execution(t, d.takeIn(t, 2), "u1")
	if e.Workflow == nil || e.Workflow.Completeness != lifecycle.CompletenessComplete {
		t.Errorf("the work is %+v", e.Workflow)
	}
}
