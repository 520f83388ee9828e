-- Closing and completing a workflow, as the state verbs need it.
--
-- Only triggers change, and no write of an earlier version is refused that was
-- allowed before, entering 'complete' without a completion event excepted,
-- which no version does.

-- Closing spares, besides the execution that closes, those it was started in:
-- stopping one of them would stop the closer.
DROP TRIGGER workflows_close;

CREATE TRIGGER workflows_close BEFORE UPDATE OF status, ended_at ON workflows
  WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
BEGIN
  SELECT RAISE(ABORT, 'a live execution has not been asked to stop') WHERE EXISTS (SELECT 1 FROM executions
    WHERE (workflow_id = NEW.id OR flow_id = NEW.id) AND ended_at IS NULL AND stop_requested IS NULL
    AND (NEW.closed_by_uid IS NULL OR uid NOT IN (WITH RECURSIVE spared (uid) AS (SELECT NEW.closed_by_uid
      UNION SELECT parent_uid FROM executions JOIN spared USING (uid) WHERE parent_uid IS NOT NULL)
      SELECT uid FROM spared)));
  SELECT RAISE(ABORT, 'the round has no completion event') WHERE NEW.kind <> 'flow' AND NEW.status = 'succeeded'
    AND NOT EXISTS (SELECT 1 FROM events WHERE workflow_id = NEW.id AND round = NEW.round
      AND type = CASE NEW.kind WHEN 'review' THEN 'round_completed' ELSE 'map_completed' END);
  SELECT RAISE(ABORT, 'the round has no closing reason') WHERE NEW.kind <> 'flow' AND NEW.status <> 'succeeded'
    AND NOT EXISTS (SELECT 1 FROM events WHERE workflow_id = NEW.id AND round = NEW.round
      AND type IN ('session_aborted', 'session_auto_closed_stale', 'session_synced', 'session_legacy_import')
      AND seq > COALESCE((SELECT max(seq) FROM events WHERE workflow_id = NEW.id
        AND type IN ('session_created', 'session_resumed', 'round_started')), 0));
END;

-- The last phase is entered with the round's completion event and in no other
-- way: from synthesis, where the round may be a later one than the workflow's,
-- or while closing, from wherever a complete round was left.
DROP TRIGGER workflows_phase;

CREATE TRIGGER workflows_phase BEFORE UPDATE OF phase, round ON workflows
  WHEN NEW.kind <> 'flow' AND (NEW.phase IS NOT OLD.phase OR NEW.round <> OLD.round)
BEGIN
  SELECT RAISE(ABORT, 'no such phase transition') WHERE NOT CASE
    WHEN NEW.phase = 'complete' THEN OLD.ended_at IS NULL AND NEW.round >= OLD.round
      AND (OLD.phase = 'synthesis' OR (NEW.ended_at IS NOT NULL AND NEW.round = OLD.round))
    ELSE EXISTS (SELECT 1 FROM phase_edges WHERE kind = NEW.kind AND to_phase = NEW.phase
      AND from_phase = CASE WHEN NEW.round <> OLD.round OR OLD.ended_at IS NOT NULL THEN 'complete' ELSE OLD.phase END) END;
  SELECT RAISE(ABORT, 'the round has no completion event') WHERE NEW.phase = 'complete' AND NOT EXISTS (
    SELECT 1 FROM events WHERE workflow_id = NEW.id AND round = NEW.round
      AND type = CASE NEW.kind WHEN 'review' THEN 'round_completed' ELSE 'map_completed' END);
END;
