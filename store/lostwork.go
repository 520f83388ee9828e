package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// lostWork is what an execution worked on in ledgers that were removed or replaced under
// it, as it stood there last. Its zero value has lost nothing.
type lostWork struct {
	workflows []WorkflowView
	turn      lifecycle.TurnState // the last one; empty or TurnNone without any
	// unread is why it cannot be told; nil when it can.
	unread error
	// seen: what stood in the ledger that was open last has been read from it.
	seen bool
}

// AddLost adds to the end of the execution what it worked on in a ledger that was removed
// or replaced under it, as far as the present one does not know it: what was not
// complete is unreadable, and why is evidence.
func (r *Recorder) AddLost(ctx context.Context, e *Ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := calm{context.WithoutCancel(ctx), r.config.Timeout}
	l, _ := r.opened(c)   //nolint:contextcheck // it inherits ctx; without a ledger all of it counts
	r.gone.addTo(c, l, e) //nolint:contextcheck // it inherits ctx
}

// AddUnread adds to the end of the execution, for who finds that the ledger cannot be
// read, what an end in the spool says to the next ledger: all that stood in this one
// counts as lost, and is unreadable where nobody can tell what it was.
func (r *Recorder) AddUnread(ctx context.Context, e *Ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := calm{context.WithoutCancel(ctx), r.config.Timeout}
	_, err := r.opened(c)              //nolint:contextcheck // it inherits ctx
	r.allGone(c, err).addTo(c, nil, e) //nolint:contextcheck // it inherits ctx
}

// allGone is what the execution worked on if nobody sees the ledger as it is open now
// again. Why says what is wrong with one that could not be opened.
func (r *Recorder) allGone(ctx context.Context, why error) *lostWork {
	all := r.gone
	all.workflows = slices.Clone(r.gone.workflows)
	switch {
	case !r.entered:
	case r.ledger == nil:
		all.unread = why
	case !all.readFrom(ctx, r.ledger, r.memory.Announcement):
		all.missed(true)
	}
	return &all
}

// errRowGone is why nothing is known of a row that somebody has taken out of its ledger.
var errRowGone = errors.New("the run's own row is gone")

// readFrom takes down what an execution, nil for none, works on in a ledger that is about
// to be lost: a file that was removed can be read for as long as it is open. It says
// whether the ledger has the execution, or cannot be asked.
func (w *lostWork) readFrom(ctx context.Context, l *Ledger, a *Announcement) bool {
	if a == nil {
		return false
	}
	_, err := l.Execution(ctx, a.UID)
	if errors.Is(err, ErrNotFound) {
		return false
	}
	if err == nil {
		err = w.read(ctx, l, a.UID)
	}
	if err != nil {
		w.unread = brief(explain(l.path, err))
	}
	w.seen = true
	return true
}

// brief leaves out the way out of damage: who reads why something was lost may have
// taken it long ago.
func brief(err error) error {
	if errors.Is(err, ErrDamaged) {
		return ErrDamaged
	}
	return err
}

func (w *lostWork) read(ctx context.Context, l *Ledger, uid string) error {
	past, err := l.sessionPast(ctx, uid)
	if err != nil {
		return err
	}
	if len(past.turns) > 0 {
		w.turn = past.last()
	}
	ids, err := l.workflowsOf(ctx, uid)
	if err != nil {
		return err
	}
	for _, id := range ids {
		v, err := l.judged(ctx, id, uid, 0)
		if err != nil {
			return err
		}
		w.without([]string{id})
		w.workflows = append(w.workflows, v)
	}
	return nil
}

// addEnded takes down what an execution began and ended in l before its row was there to
// be linked: its work all the same.
func (w *lostWork) addEnded(ctx context.Context, l *Ledger, uid string) {
	linked, err := l.workflowsOf(ctx, uid)
	if err == nil {
		err = w.readEnded(ctx, l, uid, linked)
	}
	if err != nil {
		w.unread = err
	}
}

// readEnded reads those that ended, without the linked.
func (w *lostWork) readEnded(ctx context.Context, l *Ledger, uid string, linked []string) error {
	ended, err := l.endedBy(ctx, uid)
	for _, id := range ended {
		if err != nil || slices.Contains(linked, id) {
			continue
		}
		var v WorkflowView
		if v, err = l.judged(ctx, id, uid, 0); err == nil {
			w.without([]string{id})
			w.workflows = append(w.workflows, v)
		}
	}
	return err
}

// missed notes that the row is not in the ledger. entered: one has had it.
func (w *lostWork) missed(entered bool) {
	if entered && !w.seen {
		w.unread = errRowGone
	}
	w.seen = false
}

// without forgets the workflows of these names.
func (w *lostWork) without(ids []string) {
	w.workflows = slices.DeleteFunc(w.workflows, func(v WorkflowView) bool { return slices.Contains(ids, v.ID) })
}

// addTo puts what was lost into the end of the execution, once. What has come up again
// in l, nil for no ledger, is judged there: the same workflow, any turn, and any
// workflow at all where nobody knows what there was before. What was complete needs
// no more; all else can no longer be read.
func (w *lostWork) addTo(ctx context.Context, l *Ledger, e *Ending) {
	if w.nothing() || e.HostWorkflow != nil && e.HostWorkflow.Lost {
		return
	}
	left, again := lostWork{workflows: slices.Clone(w.workflows), turn: w.turn, unread: w.unread}, false
	if l != nil {
		if ids, err := l.workflowsOf(ctx, e.UID); err == nil && len(ids) > 0 {
			left.without(ids)
			left.unread, again = nil, true
		}
		if past, err := l.sessionPast(ctx, e.UID); err == nil && len(past.turns) > 0 {
			left.turn = lifecycle.TurnNone
		}
	}
	worst := left.worst()
	if said := left.unfinished(worst); said != "" {
		worst.Completeness = lifecycle.CompletenessUnreadable
		e.Evidence = append(slices.Clone(e.Evidence), lifecycle.Evidence{
			Source: lifecycle.SourceLedger, Detail: "the ledger was removed, replaced or damaged, and with it " + said, AtMS: e.At.WallMS,
		})
	} else if again || worst.Completeness == lifecycle.CompletenessNone || e.HostWorkflow != nil {
		return
	}
	worst.Lost = true
	e.HostWorkflow = &worst
}

// nothing says whether nothing is lost, which takes no look at a ledger.
func (w *lostWork) nothing() bool {
	return len(w.workflows) == 0 && (w.turn == "" || w.turn == lifecycle.TurnNone) && w.unread == nil
}

// worst is the workflow that weighs most against success; zero without any.
func (w *lostWork) worst() (worst WorkflowView) {
	for _, v := range w.workflows {
		if lifecycle.Worse(worst.Completeness, v.Completeness) != worst.Completeness {
			worst = v
		}
	}
	return worst
}

// unfinished says what was lost unfinished, empty for nothing.
func (w *lostWork) unfinished(worst WorkflowView) string {
	var said []string
	if worst.Completeness != lifecycle.CompletenessNone && worst.Completeness != lifecycle.CompletenessComplete {
		said = append(said, fmt.Sprintf("the %s %s, which was not complete", worst.Kind, worst.ID))
	}
	switch w.turn {
	case "", lifecycle.TurnNone, lifecycle.TurnCompleted:
	case lifecycle.TurnPending, lifecycle.TurnRunning, lifecycle.TurnInterrupted, lifecycle.TurnError:
		said = append(said, fmt.Sprintf("the last turn, which was %s", turnWords(w.turn)))
	}
	if w.unread != nil {
		said = append(said, "what it worked on, which nobody can tell: "+w.unread.Error())
	}
	return strings.Join(said, ", and ")
}

// turnWords is how a turn that was not completed stood.
func turnWords(s lifecycle.TurnState) string {
	if s == lifecycle.TurnError {
		return "in error"
	}
	return string(s)
}
