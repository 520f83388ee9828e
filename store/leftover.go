package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// RecordLeftovers writes down what became of processes that outlived an ended
// execution, beside what is known of others. Each process is named once, by what
// became of it last. An execution that has not ended is ErrConflict.
func (l *Ledger) RecordLeftovers(ctx context.Context, uid string, now Leftovers, at Instant) error {
	return l.write(ctx, "record leftovers of execution", uid, func(tx *sql.Tx) error {
		var text sql.NullString
		var ended bool
		err := tx.QueryRowContext(ctx, `SELECT leftovers, ended_at IS NOT NULL FROM executions WHERE uid = ?`, uid).Scan(&text, &ended)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return err
		case !ended:
			return fmt.Errorf("%w: it has not ended", ErrConflict)
		}
		var before Leftovers
		if text.Valid {
			if err := json.Unmarshal([]byte(text.String), &before); err != nil {
				return err
			}
		}
		merged, news := merge(before, now)
		if len(news) == 0 {
			return nil
		}
		body, err := json.Marshal(merged)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE executions SET leftovers = ? WHERE uid = ?`, string(body), uid); err != nil {
			return err
		}
		for i := range news {
			news[i].UID, news[i].AtMS = uid, at.WallMS
		}
		return note(ctx, tx, news...)
	})
}

// merge adds what is known now to what was before, and gives an event for each fate that
// is news of some process.
func merge(before, now Leftovers) (merged Leftovers, news []Event) {
	merged = Leftovers{Stopped: slices.Clone(before.Stopped), Kept: slices.Clone(before.Kept), Remaining: slices.Clone(before.Remaining)}
	for _, c := range []struct {
		event lifecycle.EventType
		from  []Leftover
		into  *[]Leftover
	}{
		{lifecycle.EventLeftoverStopped, now.Stopped, &merged.Stopped},
		{lifecycle.EventLeftoverKept, now.Kept, &merged.Kept},
		{lifecycle.EventLeftoverRemains, now.Remaining, &merged.Remaining},
	} {
		var fresh []Leftover
		for _, p := range c.from {
			if slices.ContainsFunc(*c.into, p.Same) {
				continue
			}
			for _, lists := range []*[]Leftover{&merged.Stopped, &merged.Kept, &merged.Remaining} {
				*lists = slices.DeleteFunc(*lists, p.Same)
			}
			*c.into, fresh = append(*c.into, p), append(fresh, p)
		}
		if len(fresh) > 0 {
			payload, _ := json.Marshal(map[string][]Leftover{"processes": fresh}) // numbers and strings always encode
			news = append(news, Event{Type: c.event, Payload: payload})
		}
	}
	return merged, news
}
