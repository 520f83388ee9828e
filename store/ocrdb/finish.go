package ocrdb

import (
	"context"
	"errors"
	"regexp"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Ending is how a run ended.
type Ending struct {
	// Process is its end; it must be over.
	Process lifecycle.Process
	// Cause is why, for the notes; empty when it is not known.
	Cause lifecycle.Cause
	// Note is one more line for the notes; empty for none.
	Note string
	// VendorSessionID is the agent's own session, by which the product resumes
	// it. It is not written when the run was cancelled, or does not look like
	// one: the product would start the run again by itself.
	VendorSessionID string
	// AtMS is when it ended, in wall-clock UTC milliseconds.
	AtMS int64
}

// Finished is what became of an end.
type Finished struct {
	Answer
	// Stored: the row has our end. Otherwise somebody else's end stood there
	// before, and it stays; ours is in the notes.
	Stored bool
	// Corrected: the workflow's close had ended the row as cascaded, and the
	// real end has taken its place.
	Corrected bool
}

// Finish writes the end of the run, and once it stands changes nothing more.
// Calling it again with the same end is harmless and is how an end is put back
// that another program's copy of the file has removed: two or three times, a
// few seconds apart, outlast a program that is just saving.
//
// An end that somebody else wrote stays, with one exception: that of a row
// which its workflow's close took along while the run went on.
func (r *Row) Finish(ctx context.Context, e Ending) (Finished, error) {
	code, ok := ExitCode(e.Process)
	if !ok {
		return Finished{}, r.host.failed("finish "+r.known.UID, errors.New("the run has not ended"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(e, code)
	var done Finished
	corrected := false
	answer, err := r.assert(ctx, false, func(at stored, s schema) (action, Answer) {
		act, stored := r.settle(at, s)
		corrected = corrected || act == actFinish && at.cascaded()
		done.Stored = stored
		return act, at.answer()
	})
	done.Answer, done.Corrected = answer, corrected
	r.logStart(err)
	if done.Stored || err != nil {
		r.logFinish(err)
	}
	return done, r.host.failed("finish "+r.known.UID, err)
}

// vendorSession is what the product accepts as an agent's session id.
const vendorSession = `^[A-Za-z0-9][A-Za-z0-9._:-]{0,255}$`

// end remembers how the run ended.
func (r *Row) end(e Ending, code int) {
	k := &r.known
	k.exit, k.finishedMS = &code, max(e.AtMS, k.StartedMS)
	k.heartbeatMS = max(k.heartbeatMS, k.StartedMS)
	k.notes = []string{endNote(e.Process, e.Cause)}
	if e.Note != "" {
		k.notes = append(k.notes, e.Note)
	}
	k.vendorID = ""
	cancelled := code == exitCancelled || code == exitCascaded
	if !cancelled && regexp.MustCompile(vendorSession).MatchString(e.VendorSessionID) {
		k.vendorID = e.VendorSessionID
	}
}

// settle is the decision once the run has ended.
func (r *Row) settle(at stored, s schema) (act action, ours bool) {
	noted := !s.executions["notes"] || hasLine(at.notes, r.known.notes[0])
	same := at.over && at.exit != nil && *at.exit == *r.known.exit
	switch {
	case !at.there:
		return actInsert, false
	case !at.over:
		return actFinish, false
	case at.cascaded() && !noted:
		return actFinish, false
	case !noted:
		return actNote, same
	case same && r.unlinked(at, s):
		return actFinish, false
	default:
		return actNothing, same
	}
}
