package supervisor

import (
	"context"
	"encoding/json"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// tell adds a line to the history of the run; payload is what there is to say
// beside the word, nil for nothing.
func (r *run) tell(ctx context.Context, word lifecycle.EventType, payload any) {
	e := store.Event{UID: r.cfg.UID, Type: word, AtMS: r.cfg.Clock.Now().Wall.UnixMilli()}
	if payload != nil {
		b, err := json.Marshal(payload)
		if err != nil {
			r.cfg.Log.Error().Err(err).Msg("encode event")
			return
		}
		e.Payload = b
	}
	if _, err := r.cfg.Journal.Append(ctx, e); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("write event")
	}
}

// tellLeftovers adds what became of the leftovers, one line for each fate.
func (r *run) tellLeftovers(ctx context.Context) {
	for _, l := range []struct {
		word lifecycle.EventType
		all  []store.Leftover
	}{
		{lifecycle.EventLeftoverStopped, r.left.Stopped},
		{lifecycle.EventLeftoverKept, r.left.Kept},
		{lifecycle.EventLeftoverRemains, r.left.Remaining},
	} {
		if len(l.all) > 0 {
			r.tell(ctx, l.word, map[string][]store.Leftover{"processes": l.all})
		}
	}
}
