-- Runs that wait, announced, for the time of their launch.

-- The wall time before which the command is not launched, in milliseconds; null for
-- a run that did not wait.
ALTER TABLE executions ADD COLUMN not_before INTEGER;

-- What it waits for: a usage limit to end, or a moment to pass before it is tried
-- again.
ALTER TABLE executions ADD COLUMN waits_for TEXT CHECK (waits_for IN ('limit', 'pause'));
