-- What is left on each SIM, as far as its operator was asked or its network has let on. Money is whole numbers.
CREATE TABLE balances (
    sim_id INTEGER PRIMARY KEY REFERENCES sims,
    state TEXT NOT NULL DEFAULT 'unknown' CHECK (state = 'unknown' OR state = 'fine' OR state = 'low' OR state = 'gone'),
    minor INTEGER,                        -- the amount in units of which 10 ^ digits make one; null: never read
    digits INTEGER CHECK (digits BETWEEN 0 AND 4),
    currency TEXT,
    read_ms INTEGER,                      -- when that was read
    text TEXT,                            -- the last answer as it came
    message_seq INTEGER REFERENCES messages ON DELETE SET NULL,  -- the received message that it is from
    error TEXT,                           -- why the last answer, or none, told no amount
    failures INTEGER NOT NULL DEFAULT 0,  -- in a row
    asked_ms INTEGER,
    due_ms INTEGER NOT NULL,              -- when it is asked next
    question TEXT,                        -- `ref` of the message that asks
    awaits_ms INTEGER,                    -- until when its answer may come
    CHECK ((minor IS NULL) = (digits IS NULL) AND (minor IS NULL) = (read_ms IS NULL)),
    CHECK (state != 'low' OR minor IS NOT NULL),
    CHECK ((question IS NULL) = (awaits_ms IS NULL))
) STRICT;
