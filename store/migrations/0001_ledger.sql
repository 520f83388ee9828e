-- The ledger: workflows, executions, turns, events.
--
-- Comments stand outside the statements on purpose: text inside a CREATE is
-- kept in the file and parsed again by every process that opens it.
-- Instants are wall-clock UTC milliseconds. A CHECK that yields NULL passes and
-- a WHEN that yields NULL does not fire, hence the IS NOT NULL tests and IS NOT
-- comparisons. Nothing here may rely on foreign_keys being on.
--
-- IN with more than two values fills a table of its own whenever it is reached, null
-- or not. What every run passes asks for null first, or for the usual values.

-- The closed vocabulary of history. A later migration adds words by inserting
-- them, which a CHECK list would not allow.
CREATE TABLE event_types (type TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

INSERT INTO event_types (type) VALUES
  ('execution_announced'), ('execution_started'), ('execution_ended'), ('execution_not_started'),
  ('execution_lost'), ('execution_late_truth'), ('execution_suspended'), ('execution_continued'),
  ('stop_requested'), ('slept'), ('late'), ('degraded'), ('ledger_replaced'), ('fenced'),
  ('terminal_lost'), ('monitor_lost'), ('leftover_stopped'), ('leftover_kept'), ('leftover_remains'),
  ('turn_pending'), ('turn_started'), ('turn_settled'), ('session_state'),
  ('session_created'), ('session_resumed'), ('round_started'), ('phase_transition'),
  ('round_completed'), ('map_completed'), ('session_closed'), ('session_aborted'),
  ('session_auto_closed_stale'), ('session_synced'), ('session_legacy_import'),
  ('workflow_linked'), ('flow_state'), ('flow_cancel_requested');

-- Every move a workflow may make inside a round. The first phase of a kind is
-- the one 'complete' leads to.
CREATE TABLE phase_edges (
  kind TEXT NOT NULL, from_phase TEXT NOT NULL, to_phase TEXT NOT NULL,
  PRIMARY KEY (kind, from_phase, to_phase)
) STRICT, WITHOUT ROWID;

INSERT INTO phase_edges (kind, from_phase, to_phase) VALUES
  ('review', 'context', 'context'), ('review', 'context', 'change-context'),
  ('review', 'change-context', 'change-context'), ('review', 'change-context', 'analysis'),
  ('review', 'analysis', 'analysis'), ('review', 'analysis', 'reviews'),
  ('review', 'reviews', 'reviews'), ('review', 'reviews', 'aggregation'),
  ('review', 'aggregation', 'aggregation'), ('review', 'aggregation', 'discourse'),
  ('review', 'discourse', 'discourse'), ('review', 'discourse', 'synthesis'),
  ('review', 'synthesis', 'synthesis'), ('review', 'synthesis', 'complete'),
  ('review', 'complete', 'complete'), ('review', 'complete', 'context'),
  ('map', 'map-context', 'map-context'), ('map', 'map-context', 'topology'),
  ('map', 'topology', 'topology'), ('map', 'topology', 'flow-analysis'),
  ('map', 'flow-analysis', 'flow-analysis'), ('map', 'flow-analysis', 'requirements-mapping'),
  ('map', 'requirements-mapping', 'requirements-mapping'), ('map', 'requirements-mapping', 'synthesis'),
  ('map', 'synthesis', 'synthesis'), ('map', 'synthesis', 'complete'),
  ('map', 'complete', 'complete'), ('map', 'complete', 'map-context');

CREATE TABLE workflows (
  id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  kind TEXT NOT NULL CHECK (kind IN ('review', 'map', 'flow')),
  workspace TEXT NOT NULL,
  branch TEXT NOT NULL,
  session_dir TEXT NOT NULL,
  goal TEXT NOT NULL,
  owner TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'blocked', 'succeeded', 'failed', 'cancelled', 'lost')),
  phase TEXT,
  round INTEGER NOT NULL CHECK (round >= 1),
  revision INTEGER NOT NULL CHECK (revision >= 1),
  begun_by_uid TEXT,
  closed_by_uid TEXT,
  close_reason TEXT,
  cancel_requested_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL CHECK (updated_at >= created_at),
  ended_at INTEGER CHECK (ended_at IS NULL OR ended_at >= created_at),
  CHECK (kind = 'flow' OR status IN ('running', 'succeeded', 'failed', 'cancelled', 'lost')),
  CHECK ((ended_at IS NOT NULL) = (status IN ('succeeded', 'failed', 'cancelled', 'lost'))),
  CHECK (status <> 'cancelled' OR cancel_requested_at IS NOT NULL),
  CHECK (CASE kind
    WHEN 'review' THEN phase IS NOT NULL AND phase IN ('context', 'change-context', 'analysis', 'reviews', 'aggregation', 'discourse', 'synthesis', 'complete')
    WHEN 'map' THEN phase IS NOT NULL AND phase IN ('map-context', 'topology', 'flow-analysis', 'requirements-mapping', 'synthesis', 'complete')
    ELSE phase IS NULL END)
) STRICT;

CREATE INDEX workflows_open ON workflows (created_at) WHERE ended_at IS NULL;

CREATE TABLE executions (
  n INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE CHECK (uid <> ''),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  parent_uid TEXT,
  resumed_from TEXT,
  workflow_id TEXT REFERENCES workflows (id),
  flow_id TEXT REFERENCES workflows (id),
  lineage TEXT NOT NULL,
  name TEXT,
  command TEXT NOT NULL CHECK (json_valid(command)),
  cwd TEXT NOT NULL,
  workspace TEXT NOT NULL,
  agent TEXT,
  agent_session_id TEXT,
  resume TEXT CHECK (resume IS NULL OR json_valid(resume)),
  run_file TEXT,
  machine_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  pid_namespace INTEGER NOT NULL,
  wrapper_pid INTEGER NOT NULL,
  wrapper_start INTEGER NOT NULL,
  monitor_pid INTEGER,
  monitor_start INTEGER,
  child_pid INTEGER,
  child_start INTEGER,
  pgid INTEGER,
  sid INTEGER,
  tty TEXT,
  cgroup TEXT,
  "end" TEXT NOT NULL CHECK ("end" = 'running' OR "end" = 'exited' OR "end" IN ('queued', 'running', 'exited', 'signalled', 'lost', 'not-started')),
  exit_code INTEGER,
  signal INTEGER,
  core_dumped INTEGER NOT NULL DEFAULT 0 CHECK (core_dumped IN (0, 1)),
  stopped_by TEXT CHECK (stopped_by IS NULL OR stopped_by IN ('user', 'parent', 'deadline', 'terminal', 'reaper', 'idle', 'stalled', 'runaway', 'fenced')),
  stop_failed INTEGER NOT NULL DEFAULT 0 CHECK (stop_failed IN (0, 1)),
  stop_requested TEXT CHECK (stop_requested IS NULL OR stop_requested IN ('user', 'parent', 'deadline', 'terminal', 'reaper', 'idle', 'stalled', 'runaway', 'fenced')),
  stop_requested_at INTEGER,
  session_status TEXT CHECK (session_status IS NULL OR session_status IN ('idle', 'starting', 'running', 'ready', 'interrupted', 'stopped', 'error')),
  session_at INTEGER,
  created_at INTEGER NOT NULL,
  created_awake INTEGER NOT NULL,
  started_at INTEGER CHECK (started_at IS NULL OR started_at >= created_at),
  started_awake INTEGER,
  ended_at INTEGER CHECK (ended_at IS NULL OR ended_at >= COALESCE(started_at, created_at)),
  beat_ms INTEGER NOT NULL,
  beats INTEGER NOT NULL DEFAULT 0 CHECK (beats >= 0),
  last_beat_wall INTEGER NOT NULL,
  last_beat_awake INTEGER NOT NULL,
  last_beat_boot TEXT NOT NULL,
  last_activity INTEGER,
  stopped_since INTEGER,
  awake_ms INTEGER CHECK (awake_ms IS NULL OR awake_ms >= 0),
  suspended_ms INTEGER NOT NULL DEFAULT 0 CHECK (suspended_ms >= 0),
  round_at_end INTEGER CHECK (round_at_end IS NULL OR round_at_end >= 1),
  other_rounds TEXT CHECK (other_rounds IS NULL OR json_valid(other_rounds)),
  descendants TEXT CHECK (descendants IS NULL OR json_valid(descendants)),
  evidence TEXT CHECK (evidence IS NULL OR json_valid(evidence)),
  leftovers TEXT CHECK (leftovers IS NULL OR json_valid(leftovers)),
  degraded INTEGER NOT NULL DEFAULT 0 CHECK (degraded IN (0, 1)),
  CHECK ((ended_at IS NOT NULL) = ("end" NOT IN ('queued', 'running'))),
  CHECK (CASE "end"
    WHEN 'exited' THEN exit_code IS NOT NULL AND exit_code BETWEEN 0 AND 255 AND signal IS NULL AND core_dumped = 0
    WHEN 'signalled' THEN signal IS NOT NULL AND signal BETWEEN 1 AND 127 AND exit_code IS NULL
    WHEN 'not-started' THEN exit_code IS NOT NULL AND exit_code BETWEEN 125 AND 127 AND signal IS NULL AND core_dumped = 0
    ELSE exit_code IS NULL AND signal IS NULL AND core_dumped = 0 END),
  CHECK (ended_at IS NOT NULL OR (stopped_by IS NULL AND stop_failed = 0)),
  CHECK ((stop_requested IS NULL) = (stop_requested_at IS NULL)),
  CHECK (ended_at IS NULL OR stopped_since IS NULL),
  CHECK (ended_at IS NULL OR session_status IS NULL OR session_status = 'stopped' OR session_status = 'interrupted' OR session_status = 'error')
) STRICT;

CREATE INDEX executions_created ON executions (created_at);
CREATE INDEX executions_workflow ON executions (workflow_id) WHERE workflow_id IS NOT NULL;
CREATE INDEX executions_flow ON executions (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX executions_live ON executions (n) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX executions_one_row_per_process ON executions (child_pid, child_start, boot_id, pid_namespace, machine_id)
  WHERE ended_at IS NULL AND child_pid IS NOT NULL;

CREATE TABLE turns (
  n INTEGER PRIMARY KEY,
  uid TEXT NOT NULL REFERENCES executions (uid),
  id TEXT CHECK (id IS NULL OR id <> ''),
  state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'interrupted', 'error')),
  requested_at INTEGER NOT NULL,
  started_at INTEGER CHECK (started_at IS NULL OR started_at >= requested_at),
  ended_at INTEGER CHECK (ended_at IS NULL OR ended_at >= COALESCE(started_at, requested_at)),
  UNIQUE (uid, id),
  CHECK ((ended_at IS NOT NULL) = (state NOT IN ('pending', 'running'))),
  CHECK (state <> 'running' OR (started_at IS NOT NULL AND id IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX turns_one_running ON turns (uid) WHERE state = 'running';
CREATE UNIQUE INDEX turns_one_pending ON turns (uid) WHERE state = 'pending';

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  ext_id TEXT,
  uid TEXT,
  workflow_id TEXT,
  turn_id TEXT,
  type TEXT NOT NULL,
  phase TEXT,
  round INTEGER,
  at INTEGER NOT NULL,
  payload TEXT CHECK (payload IS NULL OR json_valid(payload)),
  CHECK (ext_id IS NULL OR uid IS NOT NULL)
) STRICT;

CREATE INDEX events_of_execution ON events (uid) WHERE uid IS NOT NULL;
CREATE INDEX events_of_workflow ON events (workflow_id, type, round) WHERE workflow_id IS NOT NULL;
CREATE INDEX events_links ON events (uid, workflow_id) WHERE type = 'workflow_linked';
CREATE UNIQUE INDEX events_applied_once ON events (uid, ext_id) WHERE ext_id IS NOT NULL;

CREATE TRIGGER events_vocabulary BEFORE INSERT ON events
  WHEN NOT EXISTS (SELECT 1 FROM event_types WHERE type = NEW.type)
BEGIN SELECT RAISE(ABORT, 'no such event type'); END;

CREATE TRIGGER events_append_only BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_kept BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER executions_kept BEFORE DELETE ON executions
BEGIN SELECT RAISE(ABORT, 'executions are kept'); END;

CREATE TRIGGER workflows_kept BEFORE DELETE ON workflows
BEGIN SELECT RAISE(ABORT, 'workflows are kept'); END;

CREATE TRIGGER turns_kept BEFORE DELETE ON turns
BEGIN SELECT RAISE(ABORT, 'turns are kept'); END;

CREATE TRIGGER executions_begin BEFORE INSERT ON executions
BEGIN
  SELECT RAISE(ABORT, 'an execution begins live') WHERE NEW.ended_at IS NOT NULL;
  SELECT RAISE(ABORT, 'the workflow is closed or cancelled') WHERE COALESCE(NEW.workflow_id, NEW.flow_id) IS NOT NULL
    AND EXISTS (SELECT 1 FROM workflows
      WHERE id IN (NEW.workflow_id, NEW.flow_id) AND (ended_at IS NOT NULL OR cancel_requested_at IS NOT NULL));
END;

CREATE TRIGGER executions_link BEFORE UPDATE OF workflow_id, flow_id ON executions
BEGIN
  SELECT RAISE(ABORT, 'a link is written once') WHERE
    (OLD.workflow_id IS NOT NULL AND NEW.workflow_id IS NOT OLD.workflow_id)
    OR (OLD.flow_id IS NOT NULL AND NEW.flow_id IS NOT OLD.flow_id);
  SELECT RAISE(ABORT, 'the workflow is closed or cancelled') WHERE EXISTS (SELECT 1 FROM workflows
    WHERE ((id = NEW.workflow_id AND OLD.workflow_id IS NULL) OR (id = NEW.flow_id AND OLD.flow_id IS NULL))
    AND (ended_at IS NOT NULL OR cancel_requested_at IS NOT NULL));
END;

CREATE TRIGGER executions_final BEFORE UPDATE OF uid, generation, "end", exit_code, signal, core_dumped, stopped_by,
  stop_failed, stop_requested, created_at, ended_at, round_at_end, other_rounds, session_status ON executions
  WHEN OLD.ended_at IS NOT NULL AND NOT (OLD."end" = 'lost' AND NEW."end" IN ('exited', 'signalled', 'not-started')
    AND NEW.generation = OLD.generation AND NEW.uid = OLD.uid AND NEW.created_at = OLD.created_at
    AND NEW.round_at_end IS OLD.round_at_end AND NEW.other_rounds IS OLD.other_rounds
    AND NEW.stop_requested IS OLD.stop_requested)
BEGIN SELECT RAISE(ABORT, 'the execution has ended'); END;

CREATE TRIGGER executions_generation BEFORE UPDATE OF generation ON executions
  WHEN NEW.generation < OLD.generation
BEGIN SELECT RAISE(ABORT, 'a generation only grows'); END;

CREATE TRIGGER executions_stop_sticky BEFORE UPDATE OF stop_requested, stop_requested_at ON executions
  WHEN OLD.stop_requested IS NOT NULL
    AND (NEW.stop_requested IS NOT OLD.stop_requested OR NEW.stop_requested_at IS NOT OLD.stop_requested_at)
BEGIN SELECT RAISE(ABORT, 'a stop request is sticky'); END;

CREATE TRIGGER executions_beat BEFORE UPDATE OF beats, last_beat_wall, last_beat_awake, last_beat_boot ON executions
  WHEN OLD.ended_at IS NOT NULL OR NEW.beats <= OLD.beats
BEGIN SELECT RAISE(ABORT, 'a beat only grows and never lands on an ended row'); END;

CREATE TRIGGER executions_settle AFTER UPDATE OF "end", session_status ON executions
  WHEN (NEW.ended_at IS NOT NULL OR NEW.session_status IS NULL OR NEW.session_status NOT IN ('starting', 'running'))
  AND EXISTS (SELECT 1 FROM turns WHERE uid = NEW.uid AND ended_at IS NULL)
BEGIN
  UPDATE turns SET
    state = CASE
      WHEN NEW.ended_at IS NOT NULL OR state = 'pending' THEN 'interrupted'
      WHEN NEW.session_status IN ('idle', 'ready') THEN 'completed'
      WHEN NEW.session_status = 'error' THEN 'error'
      ELSE 'interrupted' END,
    ended_at = max(COALESCE(NEW.ended_at, NEW.session_at, requested_at), COALESCE(started_at, requested_at))
  WHERE uid = NEW.uid AND (state = 'running' OR (state = 'pending' AND NEW.ended_at IS NOT NULL));
END;

CREATE TRIGGER turns_begin BEFORE INSERT ON turns
  WHEN NEW.state IN ('pending', 'running') AND NOT EXISTS (SELECT 1 FROM executions WHERE uid = NEW.uid
    AND ended_at IS NULL AND (NEW.state = 'pending' OR session_status IN ('starting', 'running')))
BEGIN SELECT RAISE(ABORT, 'an open turn needs a live execution that may hold it'); END;

CREATE TRIGGER turns_change BEFORE UPDATE ON turns
BEGIN
  SELECT RAISE(ABORT, 'a settled turn never changes') WHERE OLD.state NOT IN ('pending', 'running');
  SELECT RAISE(ABORT, 'no such turn transition') WHERE NEW.uid <> OLD.uid
    OR (OLD.state = 'pending' AND NEW.state NOT IN ('pending', 'running', 'interrupted'))
    OR (OLD.state = 'running' AND (NEW.state = 'pending' OR NEW.id IS NOT OLD.id));
  SELECT RAISE(ABORT, 'an open turn needs a live execution that may hold it')
    WHERE NEW.state IN ('pending', 'running') AND NOT EXISTS (SELECT 1 FROM executions WHERE uid = NEW.uid
      AND ended_at IS NULL AND (NEW.state = 'pending' OR session_status IN ('starting', 'running')));
END;

CREATE TRIGGER workflows_begin BEFORE INSERT ON workflows
  WHEN NEW.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a workflow begins open'); END;

CREATE TRIGGER workflows_revision BEFORE UPDATE ON workflows
  WHEN NEW.revision <> OLD.revision + 1
BEGIN SELECT RAISE(ABORT, 'a revision moves by one'); END;

CREATE TRIGGER workflows_identity BEFORE UPDATE OF id, kind, created_at ON workflows
  WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'a workflow stays what it is'); END;

CREATE TRIGGER workflows_cancel BEFORE UPDATE ON workflows
  WHEN OLD.cancel_requested_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a cancel request is sticky') WHERE NEW.cancel_requested_at IS NOT OLD.cancel_requested_at;
  SELECT RAISE(ABORT, 'a cancelled workflow only becomes cancelled or lost')
    WHERE NEW.status <> OLD.status AND NEW.status NOT IN ('cancelled', 'lost');
END;

CREATE TRIGGER workflows_final BEFORE UPDATE ON workflows
  WHEN OLD.ended_at IS NOT NULL AND NOT (NEW.status = 'running' AND OLD.kind <> 'flow'
    AND OLD.status IN ('succeeded', 'failed', 'lost') AND OLD.cancel_requested_at IS NULL
    AND EXISTS (SELECT 1 FROM events WHERE workflow_id = OLD.id AND type IN ('session_resumed', 'round_started')
      AND round = NEW.round AND seq > COALESCE((SELECT max(seq) FROM events WHERE workflow_id = OLD.id
        AND type IN ('session_closed', 'session_aborted', 'session_auto_closed_stale', 'session_synced', 'session_legacy_import')), 0)))
BEGIN SELECT RAISE(ABORT, 'the workflow is closed'); END;

CREATE TRIGGER workflows_close BEFORE UPDATE OF status, ended_at ON workflows
  WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
BEGIN
  SELECT RAISE(ABORT, 'a live execution has not been asked to stop') WHERE EXISTS (SELECT 1 FROM executions
    WHERE (workflow_id = NEW.id OR flow_id = NEW.id) AND ended_at IS NULL AND stop_requested IS NULL
    AND uid IS NOT NEW.closed_by_uid);
  SELECT RAISE(ABORT, 'the round has no completion event') WHERE NEW.kind <> 'flow' AND NEW.status = 'succeeded'
    AND NOT EXISTS (SELECT 1 FROM events WHERE workflow_id = NEW.id AND round = NEW.round
      AND type = CASE NEW.kind WHEN 'review' THEN 'round_completed' ELSE 'map_completed' END);
  SELECT RAISE(ABORT, 'the round has no closing reason') WHERE NEW.kind <> 'flow' AND NEW.status <> 'succeeded'
    AND NOT EXISTS (SELECT 1 FROM events WHERE workflow_id = NEW.id AND round = NEW.round
      AND type IN ('session_aborted', 'session_auto_closed_stale', 'session_synced', 'session_legacy_import')
      AND seq > COALESCE((SELECT max(seq) FROM events WHERE workflow_id = NEW.id
        AND type IN ('session_created', 'session_resumed', 'round_started')), 0));
END;

CREATE TRIGGER workflows_phase BEFORE UPDATE OF phase, round ON workflows
  WHEN NEW.kind <> 'flow' AND (NEW.phase IS NOT OLD.phase OR NEW.round <> OLD.round)
BEGIN
  SELECT RAISE(ABORT, 'no such phase transition') WHERE NOT EXISTS (SELECT 1 FROM phase_edges
    WHERE kind = NEW.kind AND to_phase = NEW.phase AND from_phase = CASE
      WHEN NEW.round <> OLD.round OR OLD.ended_at IS NOT NULL THEN 'complete' ELSE OLD.phase END)
    OR ((NEW.round <> OLD.round OR OLD.ended_at IS NOT NULL) AND NEW.phase = 'complete');
END;
