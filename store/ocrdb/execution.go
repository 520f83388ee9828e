package ocrdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Role is what a row of the product stands for. It is stored nowhere.
type Role string

// The roles, by the product's own rule.
const (
	// RoleSupervisor drives a workflow, or could.
	RoleSupervisor Role = "supervisor"
	// RoleInstance is one reviewer that a supervisor started.
	RoleInstance Role = "instance"
	// RoleUtility is a command without a heartbeat.
	RoleUtility Role = "utility"
)

// Execution is one row of the product's, ours among them.
type Execution struct {
	ID int64
	// UID is empty for rows older than schema 9.
	UID string
	// Ours: ocr-run wrote it, in this or another ledger.
	Ours bool
	Role Role
	// Command is the command as the product lists it.
	Command string
	// Args is empty when there are none or they cannot be read.
	Args []string
	// StartedMS, FinishedMS and HeartbeatMS are wall-clock UTC milliseconds, 0
	// when not set or unreadable.
	StartedMS   int64
	FinishedMS  int64
	HeartbeatMS int64
	// ExitCode is the end in the product's words; nil while it runs.
	ExitCode        *int
	Vendor          string
	VendorSessionID string
	Name            string
	Notes           string
	// SelfCascaded: the workflow's close ended the row as cascaded. On the row
	// of a supervisor that most often was its own agent's doing.
	SelfCascaded bool
	// Process is the end in our words. The row of a supervisor whose own close
	// of a complete workflow ended it counts as exited with 0: the product
	// overwrote what it exited with, and the work was done.
	Process lifecycle.Process
	// WorkflowID is empty when none is linked.
	WorkflowID string
	// Round is the round it ended in, or the current one while it runs; 0
	// without a workflow.
	Round int
	// Phase is where the workflow stood in that round.
	Phase lifecycle.Phase
	// WorkflowKind is empty without a workflow.
	WorkflowKind lifecycle.Kind
	// Completeness is how far the workflow got in Round, CompletenessNone
	// without one, CompletenessUnreadable when that cannot be told.
	Completeness lifecycle.Completeness
}

// Facts is what lifecycle.Judge needs to say what the execution amounts to.
func (e Execution) Facts() lifecycle.Facts {
	return lifecycle.Facts{Process: e.Process, Workflow: e.Completeness, Turn: lifecycle.TurnNone}
}

// Unfinished says whether the execution has no end yet.
func (e Execution) Unfinished() bool { return !e.Process.End.Over() }

// Select says which executions are meant. Its zero value means all.
type Select struct {
	// UID picks one; empty for any.
	UID string
	// WorkflowID picks those of a workflow; empty for any.
	WorkflowID string
	// Unfinished leaves out what has ended.
	Unfinished bool
	// SinceMS leaves out what started before this wall time.
	SinceMS int64
	// Limit is the most rows returned; 0 means all.
	Limit int
}

// Execution reads the row of a uid, ours or not. ok is false when there is none.
func (h Host) Execution(ctx context.Context, uid string) (e Execution, ok bool, err error) {
	if uid == "" {
		return Execution{}, false, nil
	}
	list, err := h.Executions(ctx, Select{UID: uid})
	if err != nil || len(list) == 0 {
		return Execution{}, false, err
	}
	return list[0], true, nil
}

// Executions reads what is meant, the one started last first.
func (h Host) Executions(ctx context.Context, sel Select) (list []Execution, err error) {
	err = h.view(ctx, func(ctx context.Context, q queryer, s schema) (err error) {
		list, err = executions(ctx, q, s, sel)
		return err
	})
	return list, h.failed("read executions", err)
}

// executions reads rows and joins each with its workflow.
func executions(ctx context.Context, q queryer, s schema, sel Select) (list []Execution, err error) {
	query, args := s.selection(sel)
	err = each(ctx, q, func(rows *sql.Rows) error {
		e, err := scanExecution(rows)
		if err == nil && e.StartedMS >= sel.SinceMS {
			list = append(list, e)
		}
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	if sel.Limit > 0 && len(list) > sel.Limit {
		list = list[:sel.Limit]
	}
	known := map[string]*past{}
	for i := range list {
		if err := join(ctx, q, s, &list[i], known); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// selection is the query for what is meant.
func (s schema) selection(sel Select) (query string, args []any) {
	columns := []string{"id", s.orNull("uid"), "command", "args", "exit_code", "started_at", "finished_at"}
	for _, c := range [...]string{"workflow_id", "vendor", "vendor_session_id", "name", "last_heartbeat_at", "notes"} {
		columns = append(columns, s.orNull(c))
	}
	where := []string{"TRUE"}
	if sel.UID != "" {
		where, args = append(where, s.orNull("uid")+" = ?"), append(args, sel.UID)
	}
	if sel.WorkflowID != "" {
		where, args = append(where, s.orNull("workflow_id")+" = ?"), append(args, sel.WorkflowID)
	}
	if sel.Unfinished {
		where = append(where, "finished_at IS NULL AND exit_code IS NULL")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM command_executions WHERE " + strings.Join(where, " AND ") +
		" ORDER BY julianday(started_at) DESC, abs(id) DESC", args
}

// scanExecution reads one row. What the product would not write, such as args
// that are no list, reads as nothing.
func scanExecution(rows *sql.Rows) (e Execution, err error) {
	var uid, args, started, finished, workflow, vendor, session, name, heartbeat, notes sql.NullString
	var exit sql.NullInt64
	err = rows.Scan(&e.ID, &uid, &e.Command, &args, &exit, &started, &finished,
		&workflow, &vendor, &session, &name, &heartbeat, &notes)
	if err != nil {
		return e, err
	}
	e.UID, e.WorkflowID, e.Vendor, e.VendorSessionID = uid.String, workflow.String, vendor.String, session.String
	e.Name, e.Notes = name.String, notes.String
	e.StartedMS, e.FinishedMS, e.HeartbeatMS = millis(started.String), millis(finished.String), millis(heartbeat.String)
	e.Args = argsIn(args.String)
	if exit.Valid {
		e.ExitCode = new(int(exit.Int64))
	}
	e.Ours = e.UID != "" && e.ID == IDOf(e.UID)
	e.Role = roleOf(e.Command, heartbeat.Valid)
	e.SelfCascaded = selfCascaded(e.ExitCode, e.Notes)
	e.Process = processOf(finished.Valid || exit.Valid, e.ExitCode)
	return e, nil
}

// argsIn reads a JSON list of texts; anything else has no arguments.
func argsIn(list string) (args []string) {
	if json.Unmarshal([]byte(list), &args) != nil {
		return nil
	}
	return args
}

// roleOf is the product's rule for what a row stands for.
func roleOf(command string, journaled bool) Role {
	switch {
	case command == "session-instance" || strings.HasPrefix(command, "session-instance:"):
		return RoleInstance
	case journaled:
		return RoleSupervisor
	default:
		return RoleUtility
	}
}

// past is what is known of a workflow while a list is joined.
type past struct {
	events []event
	// rounds are its rounds as those see them whose execution has ended: none of
	// them is itself in flight.
	rounds map[int]Workflow
}

// join adds what became of the workflow in the round the execution ended in. A
// link that leads nowhere, or a history that cannot be read, is unreadable: it
// spoils this one execution and no other.
func join(ctx context.Context, q queryer, s schema, e *Execution, known map[string]*past) error {
	if e.WorkflowID == "" {
		return nil
	}
	e.Completeness = lifecycle.CompletenessUnreadable
	p, ok := known[e.WorkflowID]
	if !ok {
		events, err := eventsOf(ctx, q, e.WorkflowID)
		if err != nil {
			return err
		}
		p = &past{events: events, rounds: map[int]Workflow{}}
		known[e.WorkflowID] = p
	}
	round := roundAt(p.events, e.FinishedMS)
	w, ok := p.rounds[round]
	if !ok || e.Unfinished() {
		found, err := workflows(ctx, q, s, Ask{ID: e.WorkflowID, Except: e.UID, Round: round})
		if err != nil || len(found) == 0 {
			return err
		}
		w = found[0]
		if !e.Unfinished() {
			p.rounds[round] = w
		}
	}
	e.Round, e.Phase, e.WorkflowKind, e.Completeness = w.Round, w.Phase, w.Kind, w.Completeness
	if e.SelfCascaded && e.Role == RoleSupervisor && w.Completeness == lifecycle.CompletenessComplete {
		e.Process = lifecycle.Process{End: lifecycle.EndExited, ExitCode: new(0)}
	}
	return nil
}
