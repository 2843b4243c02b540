-- The state of one job. Times are integer milliseconds, UTC; durations end in _ms. For people: sqlite3 -readonly state.db.
-- No column is declared as a reference: the look-ups cost a fifth of a listing and a tenth of an outcome, and nothing that is
-- referred to is ever deleted. docbatch check looks for what is missing.
-- The checks say a = 'x' OR a = 'y' because SQLite makes a table for a IN ('x', 'y', 'z'), for every row that it checks.

-- One row a life of a process: its number is the owner's, never used again (AUTOINCREMENT).
CREATE TABLE runs (
    num            INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at     INTEGER NOT NULL,
    lease_until_at INTEGER,          -- NULL: holds nothing any more
    ended_at       INTEGER,          -- NULL: goes on, or was killed
    host           TEXT NOT NULL,
    pid            INTEGER NOT NULL,
    command        TEXT NOT NULL,
    exit           INTEGER,
    summary        TEXT CHECK (summary IS NULL OR json_valid(summary)),
    CHECK ((ended_at IS NULL) = (exit IS NULL))
) STRICT;

-- Every claim asks whether a lease has expired; years of ended runs must not be read for it.
CREATE INDEX runs_leased ON runs (lease_until_at) WHERE lease_until_at IS NOT NULL;

CREATE TABLE sources (
    num  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The column names of rows, once for all rows that have them.
CREATE TABLE headers (
    num   INTEGER PRIMARY KEY,
    names TEXT NOT NULL UNIQUE CHECK (json_type(names) = 'array')
) STRICT;

-- Fingerprints of what was asked, apart because an item needs one and a million items share it.
CREATE TABLE questions (
    num         INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE
) STRICT;

-- One row a document. Small, because a listing walks over all of them: what is large is in documents and answers.
CREATE TABLE items (
    num      INTEGER PRIMARY KEY,                        -- never used again, because no item is ever deleted
    source   INTEGER NOT NULL,                           -- sources.num
    id       TEXT NOT NULL,
    name     TEXT NOT NULL,
    row      INTEGER NOT NULL,
    pos      INTEGER NOT NULL CHECK (pos > 0),           -- item order; with gaps, so that an insertion moves no others
    stamp    TEXT NOT NULL,
    question INTEGER NOT NULL,                           -- questions.num: of the record, or of the newest listing
    header   INTEGER,                                    -- headers.num; NULL for a file
    state    TEXT NOT NULL CHECK (state = 'pending' OR state = 'claimed' OR state = 'done' OR state = 'truncated' OR state = 'failed'),
    owner    INTEGER,                                    -- runs.num
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    record   INTEGER,                                    -- records.num of the newest outcome; NULL before the first
    fault    TEXT,                                       -- why the listing could not have it; NULL where it could
    gone_at  INTEGER,                                    -- when a listing no longer had it
    UNIQUE (source, id),                                 -- the listing finds an item by it
    CHECK ((state = 'claimed') = (owner IS NOT NULL)),
    CHECK (state = 'pending' OR state = 'claimed' OR record IS NOT NULL),
    CHECK (fault IS NULL OR state = 'failed')
) STRICT;

-- Records, and the listing's comparison with what was there, walk in item order.
CREATE INDEX items_order ON items (pos) WHERE gone_at IS NULL;

-- Claim takes the first that wait without walking over what is finished.
CREATE INDEX items_pending ON items (pos) WHERE state = 'pending' AND gone_at IS NULL;

-- Release, expired leases and dead owners find what is held; never more than a few hundred entries.
CREATE INDEX items_claimed ON items (owner) WHERE state = 'claimed';

-- The contents of rows, apart so that a walk over items does not read them.
CREATE TABLE documents (
    item   INTEGER PRIMARY KEY,                          -- items.num
    fields TEXT NOT NULL                                 -- JSON array of values, in the order of the header
) STRICT;

-- What was paid for: never deleted. A superseded answer is not found again by its request.
CREATE TABLE answers (
    num               INTEGER PRIMARY KEY,
    request           BLOB CHECK (length(request) = 32), -- SHA-256; NULL where the outcome named none
    text              TEXT NOT NULL,
    model             TEXT NOT NULL,
    finish_reason     TEXT NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    superseded_at     INTEGER
) STRICT;

-- An answer is found again by its request, and there is only one.
CREATE UNIQUE INDEX answers_current ON answers (request) WHERE superseded_at IS NULL;

-- One row an outcome, ever. Clustered by item: the history of an item needs no index.
CREATE TABLE records (
    item              INTEGER NOT NULL,                  -- items.num
    num               INTEGER NOT NULL,                  -- 1, 2 ... of the item
    run               INTEGER,                           -- runs.num; NULL: the listing found that it can't be had
    state             TEXT NOT NULL CHECK (state = 'done' OR state = 'truncated' OR state = 'failed'),
    class             TEXT CHECK (class = 'transient' OR class = 'throttled' OR class = 'invalid' OR class = 'refused'
                             OR class = 'fatal' OR class = 'internal'),
    kind              TEXT,
    status            INTEGER,
    error             TEXT,
    request           BLOB CHECK (length(request) = 32),
    answer            INTEGER,                           -- answers.num
    model             TEXT NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cached            INTEGER NOT NULL CHECK (cached = 0 OR cached = 1),
    started_at        INTEGER,
    duration_ms       INTEGER NOT NULL,
    tries             INTEGER NOT NULL,
    asked_at          INTEGER,                           -- the attempt that brought the answer; NULL where none was sent
    asked_ms          INTEGER,
    PRIMARY KEY (item, num),
    CHECK ((state = 'failed') = (answer IS NULL)),
    CHECK ((class IS NULL) = (error IS NULL)),
    CHECK (state <> 'failed' OR class IS NOT NULL),
    CHECK (state <> 'done' OR class IS NULL),
    CHECK ((asked_at IS NULL) = (asked_ms IS NULL))
) STRICT, WITHOUT ROWID;

-- One row a request that was sent, or tried, and brought no record: the one that brought the answer is in the record, so that
-- a document that goes well costs no row here. Clustered by item for the same reason.
CREATE TABLE attempts (
    item        INTEGER NOT NULL,                        -- items.num
    num         INTEGER NOT NULL,                        -- 1, 2 ... of the item
    run         INTEGER NOT NULL,                        -- runs.num
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    class       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    message     TEXT NOT NULL,
    PRIMARY KEY (item, num)
) STRICT, WITHOUT ROWID;
