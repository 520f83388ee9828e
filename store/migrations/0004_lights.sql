-- What a wrapper sees of its run at a beat: an object, or null when it looks at
-- nothing, as those of the releases before this one do.
ALTER TABLE executions ADD COLUMN vitals TEXT CHECK (vitals IS NULL OR json_valid(vitals));

INSERT INTO event_types (type) VALUES ('idle'), ('stalled'), ('runaway'), ('connection_dead'), ('connection_healed');
