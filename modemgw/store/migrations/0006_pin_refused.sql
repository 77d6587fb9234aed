-- Whether the SIM is known to have refused this PIN; else nobody knows what became of the try. Of those that are here
-- already nobody knows either, and the worst is taken to be true.
ALTER TABLE pin_attempts ADD COLUMN refused INTEGER NOT NULL DEFAULT 1 CHECK (refused IN (0, 1));
