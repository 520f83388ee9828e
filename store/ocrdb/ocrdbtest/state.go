package ocrdbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// ErrIncomplete is what the product exits 6 for: a session cannot be closed before
// its round is complete.
var ErrIncomplete = errors.New("cannot close session without a completed round")

// State does one of the product's state verbs, under its old or its new name, for a
// review: begin, advance, complete-round and finish. flags are the values by name;
// uid is the run that the verb was called in.
func (p Product) State(ctx context.Context, verb string, flags map[string]string, uid string) error {
	return p.Do(ctx, func(tx *sql.Tx) error {
		id := flags["session-id"]
		if id == "" {
			if err := tx.QueryRowContext(ctx, "SELECT id FROM sessions WHERE status = 'active' ORDER BY started_at DESC LIMIT 1").Scan(&id); err != nil {
				return fmt.Errorf("no active session found: %w", err)
			}
		}
		s := session{ctx: ctx, tx: tx, id: id}
		switch verb {
		case "begin", "init":
			s.begin(flags["branch"], uid)
		case "advance", "transition":
			s.step("phase_transition", flags["phase"])
		case "complete-round", "round-complete":
			s.step("round_completed", "synthesis")
			s.step("phase_transition", "complete")
		case "finish", "close":
			s.finish(strings.HasPrefix(verb, "fin"))
		default:
			return fmt.Errorf("unknown command %q", verb)
		}
		return s.err
	})
}

// session is one session within a transaction. After an error it does nothing more.
type session struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	tx  *sql.Tx
	id  string
	err error
}

// exec runs one statement.
func (s *session) exec(statement string, args ...any) {
	if s.err == nil {
		_, s.err = s.tx.ExecContext(s.ctx, statement, args...)
	}
}

// begin inserts the session and links the run, where rows have links.
func (s *session) begin(branch, uid string) {
	s.exec("INSERT INTO sessions (id, branch, workflow_type, session_dir) VALUES (?1, ?2, 'review', '.ocr/sessions/' || ?1)", s.id, branch)
	s.step("session_created", "context")
	if s.linked() {
		s.exec(`UPDATE command_executions SET workflow_id = coalesce(workflow_id, ?),
			last_heartbeat_at = coalesce(last_heartbeat_at, datetime('now')) WHERE uid = ?`, s.id, uid)
	}
}

// linked says whether rows have links to sessions.
func (s *session) linked() (yes bool) {
	if s.err == nil {
		s.err = s.tx.QueryRowContext(s.ctx, "SELECT count(*) > 0 FROM pragma_table_info('command_executions') WHERE name = 'workflow_id'").Scan(&yes)
	}
	return yes
}

// step writes an event and moves the session.
func (s *session) step(event, phase string) {
	phases := strings.Fields("context change-context analysis reviews aggregation discourse synthesis complete")
	number := 0
	for i, p := range phases {
		if p == phase {
			number = i + 1
		}
	}
	if number == 0 && s.err == nil {
		s.err = fmt.Errorf("invalid phase %q", phase)
	}
	s.exec(`INSERT INTO orchestration_events (session_id, event_type, phase, phase_number, round)
		SELECT id, ?, ?, ?, current_round FROM sessions WHERE id = ?`, event, phase, number, s.id)
	s.exec("UPDATE sessions SET current_phase = ?, phase_number = ?, updated_at = datetime('now') WHERE id = ?", phase, number, s.id)
}

// finish closes the session, and with it every execution of it that has not ended,
// the one that asks among them.
func (s *session) finish(guarded bool) {
	var complete bool
	if s.err == nil {
		s.err = s.tx.QueryRowContext(s.ctx, `SELECT count(*) > 0 FROM orchestration_events e JOIN sessions s ON s.id = e.session_id
			WHERE s.id = ? AND e.event_type = 'round_completed' AND e.round = s.current_round`, s.id).Scan(&complete)
	}
	if guarded && !complete && s.err == nil {
		s.err = ErrIncomplete
	}
	s.exec("INSERT INTO orchestration_events (session_id, event_type, phase, phase_number, round) SELECT id, 'session_closed', 'complete', 8, current_round FROM sessions WHERE id = ?", s.id)
	s.exec("UPDATE sessions SET status = 'closed', current_phase = 'complete', phase_number = 8, updated_at = datetime('now') WHERE id = ?", s.id)
	if s.linked() {
		s.exec(`UPDATE command_executions SET exit_code = -4, finished_at = datetime('now'),
			notes = coalesce(notes || char(10), '') || 'closed by parent workflow close' WHERE workflow_id = ? AND finished_at IS NULL`, s.id)
	}
}
