-- What of a document could not be read, a JSON array of texts; NULL where all could.
ALTER TABLE records ADD COLUMN warnings TEXT CHECK (warnings IS NULL OR json_valid(warnings));
