package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// maxCandidates is how many rows an ambiguous name lists.
const maxCandidates = 20

// selectExecution reads rows in the order scanExecution takes them. The last
// turn is the youngest row: turns are inserted as they come.
const selectExecution = `SELECT uid, generation, parent_uid, resumed_from, workflow_id, flow_id, lineage, name, command, cwd,
	workspace, agent, agent_session_id, resume, run_file, machine_id, boot_id, pid_namespace, wrapper_pid, wrapper_start,
	monitor_pid, monitor_start, child_pid, child_start, pgid, sid, tty, cgroup, "end", exit_code, signal, core_dumped,
	stopped_by, stop_failed, stop_requested, created_at, created_awake, started_at, started_awake, ended_at, beat_ms, beats,
	last_beat_wall, last_beat_awake, last_beat_boot, last_activity, stopped_since, awake_ms, suspended_ms, round_at_end,
	other_rounds, descendants, evidence, leftovers, degraded, host, host_workflow, host_settled, not_before, waits_for, vitals,
	(SELECT state FROM turns t WHERE t.uid = e.uid ORDER BY t.n DESC LIMIT 1),
	CASE WHEN ended_at IS NULL THEN (` + awaitsUser + `e.uid ORDER BY v.seq DESC LIMIT 1) END
	FROM executions e`

// awaitsUser selects since when the agent of the execution whose uid follows waits for
// its user: the last word about its session counts.
const awaitsUser = `SELECT iif(json_extract(payload, '$.awaits_user'), at, 0) FROM events v
	WHERE v.type IN ('turn_pending', 'turn_started', 'turn_settled', 'session_state') AND v.uid = `

// Execution reads one execution by its full uid; ErrNotFound when there is none.
func (l *Ledger) Execution(ctx context.Context, uid string) (Execution, error) {
	found, err := l.executions(ctx, selectExecution+` WHERE uid = ?`, uid)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Execution{}, l.failed("read execution", uid, err)
	}
	return found[0], nil
}

// Executions lists executions, newest first.
func (l *Ledger) Executions(ctx context.Context, f Filter) ([]Execution, error) {
	where, args := []string{"TRUE"}, []any{}
	switch {
	case f.Over != nil && *f.Over:
		where = append(where, "ended_at IS NOT NULL")
	case f.Over != nil:
		where = append(where, "ended_at IS NULL")
	}
	if f.Workspace != "" {
		where, args = append(where, "workspace = ?"), append(args, f.Workspace)
	}
	if f.SinceMS != 0 {
		where, args = append(where, "COALESCE(started_at, created_at) >= ?"), append(args, f.SinceMS)
	}
	found, err := l.executions(ctx, selectExecution+` WHERE `+strings.Join(where, " AND ")+
		` ORDER BY created_at DESC, n DESC LIMIT ?`, append(args, unlimited(f.Limit))...)
	return found, l.failed("read executions of", l.path, err)
}

// Unsettled lists the executions that have not ended, oldest first: those whose
// wrapper lives, and those somebody has to settle.
func (l *Ledger) Unsettled(ctx context.Context) ([]Execution, error) {
	found, err := l.executions(ctx, selectExecution+` WHERE ended_at IS NULL ORDER BY n`)
	return found, l.failed("read executions of", l.path, err)
}

// Resolve finds the uid somebody means by name: the exact uid, or else a prefix
// or suffix only one uid has. Several are an *AmbiguousError, none ErrNotFound.
func (l *Ledger) Resolve(ctx context.Context, name string) (uid string, err error) {
	found, err := l.named(ctx, name)
	switch {
	case err != nil:
	case len(found) == 0:
		err = ErrNotFound
	case len(found) == 1 || found[0] == name:
		return found[0], nil
	default:
		err = &AmbiguousError{Name: name, Candidates: found}
	}
	return "", l.failed("find execution", name, err)
}

// named lists the uids that begin or end with name, an exact one first and then
// the newest.
func (l *Ledger) named(ctx context.Context, name string) (found []string, err error) {
	if name == "" {
		return nil, nil
	}
	rows, err := l.db.QueryContext(ctx, `SELECT uid FROM executions
		WHERE substr(uid, 1, length(?1)) = ?1 OR substr(uid, -length(?1)) = ?1
		ORDER BY uid = ?1 DESC, n DESC LIMIT ?2`, name, maxCandidates)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var uid string
		if err := rows.Scan(&uid); err != nil {
			return nil, err
		}
		found = append(found, uid)
	}
	return found, rows.Err()
}

// executions reads the rows of a query and then joins each one's workflow. The
// rows are closed in between: there is one connection.
func (l *Ledger) executions(ctx context.Context, query string, args ...any) ([]Execution, error) {
	found, err := l.scanExecutions(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].Workflow, err = l.workflowView(ctx, &found[i]); err != nil {
			return nil, err
		}
	}
	return executionsOf(found), nil
}

// row is an execution with what is needed to judge its workflows.
type row struct {
	Execution
	// rounds are the rounds its workflows had reached when it ended, by id.
	rounds map[string]int
	// hosted is the workflow a host keeps, or one that was lost; nil for none.
	hosted *WorkflowView
}

func executionsOf(rows []row) []Execution {
	out := make([]Execution, len(rows))
	for i := range rows {
		out[i] = rows[i].Execution
	}
	return out
}

func (l *Ledger) scanExecutions(ctx context.Context, query string, args ...any) (found []row, err error) {
	return readAll(ctx, l.db, scanExecution, query, args...)
}

// readAll reads every row of a query.
func readAll[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) (found []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

// nullable holds the columns that can be null, until they are put in place.
type nullable struct {
	parent, resumed, workflow, flow, name, agent, session, resume, runFile, tty, cgroup sql.NullString
	monitorPID, monitorStart, childPID, childStart, pgid, sid, exit, signal             sql.NullInt64
	stoppedBy, stopRequested, otherRounds, descendants, evidence, leftovers, turn       sql.NullString
	host, hostWorkflow, waitsFor, vitals                                                sql.NullString
	notBefore, awaitsUser                                                               sql.NullInt64
	startedAt, startedAwake, endedAt, activity, stoppedSince, awake, roundAtEnd         sql.NullInt64
}

func scanExecution(rows *sql.Rows) (row, error) {
	var r row
	var n nullable
	var command string
	var namespace, start int64
	err := rows.Scan(&r.UID, &r.Generation, &n.parent, &n.resumed, &n.workflow, &n.flow, &r.Lineage, &n.name, &command, &r.CWD,
		&r.Workspace, &n.agent, &n.session, &n.resume, &n.runFile, &r.Wrapper.MachineID, &r.Wrapper.BootID, &namespace, &r.Wrapper.PID, &start,
		&n.monitorPID, &n.monitorStart, &n.childPID, &n.childStart, &n.pgid, &n.sid, &n.tty, &n.cgroup, &r.Process.End, &n.exit, &n.signal, &r.Process.CoreDumped,
		&n.stoppedBy, &r.Process.StopFailed, &n.stopRequested, &r.At.WallMS, &r.At.AwakeMS, &n.startedAt, &n.startedAwake, &n.endedAt, &r.BeatMS, &r.Beats,
		&r.LastBeat.WallMS, &r.LastBeat.AwakeMS, &r.LastBeat.BootID, &n.activity, &n.stoppedSince, &n.awake, &r.SuspendedMS, &n.roundAtEnd,
		&n.otherRounds, &n.descendants, &n.evidence, &n.leftovers, &r.Degraded, &n.host, &n.hostWorkflow, &r.HostSettled, &n.notBefore, &n.waitsFor, &n.vitals, &n.turn, &n.awaitsUser)
	if err != nil {
		return row{}, err
	}
	r.Wrapper.PIDNamespace, r.Wrapper.StartTicks = uint64(namespace), uint64(start)
	r.At.BootID = r.Wrapper.BootID
	n.place(&r)
	n.placeLaunch(&r)
	return r, n.decode(&r, command)
}

// place puts nullable columns where they belong; null becomes the zero value.
func (n *nullable) place(r *row) {
	r.ParentUID, r.ResumedFrom, r.WorkflowID, r.FlowID = n.parent.String, n.resumed.String, n.workflow.String, n.flow.String
	r.Name, r.Agent, r.AgentSessionID, r.RunFile = n.name.String, n.agent.String, n.session.String, n.runFile.String
	r.Host = n.host.String
	r.AwaitsUserMS = n.awaitsUser.Int64
	r.NotBeforeMS, r.WaitsFor = n.notBefore.Int64, WaitReason(n.waitsFor.String)
	r.Process.ExitCode, r.Process.Signal = pointer(n.exit), pointer(n.signal)
	r.Process.StoppedBy = lifecycle.StoppedBy(n.stoppedBy.String)
	r.StopRequested = lifecycle.StoppedBy(n.stopRequested.String)
	r.StartedAtMS, r.EndedAtMS = n.startedAt.Int64, n.endedAt.Int64
	r.LastActivityMS, r.StoppedSinceMS = n.activity.Int64, n.stoppedSince.Int64
	r.AwakeMS = -1
	if n.awake.Valid {
		r.AwakeMS = n.awake.Int64
	}
	r.Turn = lifecycle.TurnNone
	if n.turn.Valid {
		r.Turn = lifecycle.TurnState(n.turn.String)
	}
}

// placeLaunch rebuilds the launch: the child and the monitor live on the
// machine, in the boot and the namespace of their wrapper.
func (n *nullable) placeLaunch(r *row) {
	if !n.startedAt.Valid {
		return
	}
	process := func(pid, start sql.NullInt64) Identity {
		if !pid.Valid {
			return Identity{}
		}
		id := r.Wrapper
		id.PID, id.StartTicks = int(pid.Int64), uint64(start.Int64)
		return id
	}
	r.Launch = Launch{
		UID: r.UID, Child: process(n.childPID, n.childStart), Monitor: process(n.monitorPID, n.monitorStart),
		PGID: int(n.pgid.Int64), SID: int(n.sid.Int64), TTY: n.tty.String, Cgroup: n.cgroup.String,
		At: Instant{WallMS: n.startedAt.Int64, AwakeMS: n.startedAwake.Int64, BootID: r.Wrapper.BootID},
	}
}

// decode reads the columns that hold JSON.
func (n *nullable) decode(r *row, command string) error {
	err := json.Unmarshal([]byte(command), &r.Command)
	for _, column := range []struct {
		text sql.NullString
		into any
	}{
		{n.resume, &r.Resume},
		{n.descendants, &r.Descendants},
		{n.vitals, &r.Vitals},
		{n.evidence, &r.Evidence},
		{n.leftovers, &r.Leftovers},
		{n.hostWorkflow, &r.hosted},
		{n.otherRounds, &r.rounds},
	} {
		if column.text.Valid {
			err = errors.Join(err, json.Unmarshal([]byte(column.text.String), column.into))
		}
	}
	if n.roundAtEnd.Valid && r.WorkflowID != "" {
		if r.rounds == nil {
			r.rounds = map[string]int{}
		}
		r.rounds[r.WorkflowID] = int(n.roundAtEnd.Int64)
	}
	return err
}

// pointer is the number as an int, nil for null.
func pointer(n sql.NullInt64) *int {
	if !n.Valid {
		return nil
	}
	return new(int(n.Int64))
}
