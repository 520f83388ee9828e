-- Runs in the project of a host: another product that keeps the workflow.

-- The root directory of the project.
ALTER TABLE executions ADD COLUMN host TEXT CHECK (host <> '');

-- The host's workflow as it stood when the run ended: an object, or null when the
-- run had none.
ALTER TABLE executions ADD COLUMN host_workflow TEXT CHECK (host_workflow IS NULL OR json_valid(host_workflow));

-- The end stands in the host's own row of the run.
ALTER TABLE executions ADD COLUMN host_settled INTEGER NOT NULL DEFAULT 0 CHECK (host_settled IN (0, 1));

CREATE INDEX executions_hosted ON executions (ended_at) WHERE host IS NOT NULL AND host_settled = 0;
