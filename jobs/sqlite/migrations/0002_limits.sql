-- What is kept of a service's limits between runs, so that a run that follows another does not burst.
CREATE TABLE limits (
    service  TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (json_valid(state)),    -- what pipeline/agent's Pace makes of it
    saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
