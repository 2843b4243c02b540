-- Why an item became pending when it last did; NULL: because it was new. An item that has had no outcome is new, whatever stands
-- here.
ALTER TABLE items ADD COLUMN reason TEXT CHECK (reason IS NULL OR reason = 'changed' OR reason = 'question' OR reason = 'again');

-- Where a run stands, as it says itself about once a second: for those who watch it, and for what is known of one that was killed.
ALTER TABLE runs ADD COLUMN progress TEXT CHECK (progress IS NULL OR json_valid(progress));
ALTER TABLE runs ADD COLUMN progress_at INTEGER;
