-- How far the wall clock was ahead of the time since boot, when that was last looked at; one row.
CREATE TABLE clock (
    clock_id INTEGER PRIMARY KEY CHECK (clock_id = 1),
    boot_id TEXT NOT NULL,
    offset_ms INTEGER NOT NULL,
    since_ms INTEGER NOT NULL             -- when we first looked in this boot, in today's reckoning
) STRICT;
