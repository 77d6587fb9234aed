-- Lines: waiting messages that a SIM takes or leaves as a whole, whatever their number. Big requests come in batches.

-- `line_id` 0 is the line of messages from before there were lines.
CREATE TABLE lines (
    line_id INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL,                 -- the API key: lines of different keys take turns
    prefix TEXT NOT NULL,                 -- of the routing rule that its numbers match; '' without one
    country TEXT NOT NULL,                -- of its numbers; '' where it is not known
    sim_id INTEGER NOT NULL,              -- the SIM that its recipients know; 0: none
    avoid_id INTEGER NOT NULL DEFAULT 0,  -- the SIM that has refused it; 0: none
    UNIQUE (key_id, prefix, country, sim_id, avoid_id)
) STRICT;
INSERT INTO lines (line_id, key_id, prefix, country, sim_id) VALUES (0, '', '', '', 0);

-- A request that is being stored in several transactions: its messages count once it is accepted.
CREATE TABLE batches (
    batch_id INTEGER PRIMARY KEY,
    accepted INTEGER NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1))
) STRICT;

ALTER TABLE messages ADD COLUMN line_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN batch_id INTEGER;
ALTER TABLE messages ADD COLUMN route TEXT;     -- JSON: why this SIM
ALTER TABLE messages ADD COLUMN rank INTEGER GENERATED ALWAYS AS (lane * 100 - priority) VIRTUAL;

DROP INDEX messages_free;
DROP INDEX messages_bound;
CREATE INDEX messages_free ON messages (rank, line_id, seq) WHERE ready = 1 AND sim_id IS NULL;
CREATE INDEX messages_bound ON messages (sim_id, rank, line_id, seq) WHERE ready = 1 AND sim_id IS NOT NULL;
-- Conditions of indexes name each state by itself: for a list of more than two, SQLite builds a table of it for every
-- row that is written, which costs more than all the rest. Queries have to repeat them as they stand here.
-- Who comes before whom among the messages to one number.
CREATE INDEX messages_open ON messages (peer, rank, seq)
    WHERE (status = 'queued' OR status = 'sending' OR status = 'uncertain');
DROP INDEX messages_expiry;
CREATE INDEX messages_expiry ON messages (expires_ms)
    WHERE (status = 'scheduled' OR status = 'queued' OR status = 'sending');
CREATE INDEX messages_batch ON messages (batch_id, seq) WHERE batch_id IS NOT NULL;

-- A SIM at its limit may still have a reserve for urgent messages.
ALTER TABLE sims ADD COLUMN urgent_only INTEGER NOT NULL DEFAULT 0 CHECK (urgent_only IN (0, 1));

-- Which limits were announced for which window, so that each is announced once. `sim_id` 0: all SIMs together.
CREATE TABLE limit_notices (
    sim_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    window_ms INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (sim_id, name, window_ms, percent)
) STRICT, WITHOUT ROWID;

-- What the waiting messages were sorted by, so that other rules sort them anew.
CREATE TABLE line_rules (
    prefix TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
