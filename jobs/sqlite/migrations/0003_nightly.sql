-- Why an item became pending when it last did; NULL: because it was new. An item that has had no outcome is new, whatever stands
-- here.
ALTER TABLE items ADD COLUMN reason TEXT CHECK (reason IS NULL OR reason = 'changed' OR reason = 'question' OR reason = 'again');

-- The newest answer when somebody wanted the item asked again: answers up to that one do not count for it, as long as that is its
-- reason. Numbers and no times, because clocks go backwards.
ALTER TABLE items ADD COLUMN after_answer INTEGER;

-- Where a run stands, as it says itself about once a second: for those who watch it, and for what is known of one that was killed.
ALTER TABLE runs ADD COLUMN progress TEXT CHECK (progress IS NULL OR json_valid(progress));
ALTER TABLE runs ADD COLUMN progress_at INTEGER;

-- Outputs that hold what the records say. A transaction that changes what is in any of them deletes all rows.
CREATE TABLE outputs (
    path  TEXT PRIMARY KEY,
    how   TEXT NOT NULL,     -- which documents it holds, in what form
    stamp TEXT               -- of the file as it was written; NULL while it is being written
) STRICT, WITHOUT ROWID;
