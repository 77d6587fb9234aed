-- The first schema. Times are milliseconds since 1970 UTC. Every state is a CHECK; the words are those of domain/states.py.

CREATE TABLE api_keys (
    key_id INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,                 -- SHA-256 of the whole key; the key itself is stored nowhere
    scopes TEXT NOT NULL,                 -- comma separated
    created_ms INTEGER NOT NULL,
    last_used_ms INTEGER,
    revoked_ms INTEGER
) STRICT;

CREATE TABLE sims (
    sim_id INTEGER PRIMARY KEY,
    iccid TEXT UNIQUE,
    imsi TEXT UNIQUE,
    name TEXT,                            -- from the configuration
    number TEXT,
    simulated INTEGER NOT NULL DEFAULT 0 CHECK (simulated IN (0, 1)),
    available INTEGER NOT NULL DEFAULT 0 CHECK (available IN (0, 1)),  -- can send now
    blocked TEXT,                         -- what holds it back: daily_cap, sim_limit
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    CHECK (iccid IS NOT NULL OR imsi IS NOT NULL)
) STRICT;

CREATE TABLE modems (
    modem_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    imei TEXT,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
) STRICT;

-- PINs that were written to a SIM and that it did not take. The PIN itself is not kept.
CREATE TABLE pin_attempts (
    sim_key TEXT NOT NULL,
    pin_digest BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (sim_key, pin_digest)
) STRICT, WITHOUT ROWID;

-- Outbound and inbound messages; `seq` is their order of arrival.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    direction TEXT NOT NULL CHECK (direction IN ('outbound', 'inbound')),
    peer TEXT NOT NULL,                   -- to, or from
    own TEXT,                             -- inbound: the number that it was sent to
    text TEXT,
    data BLOB,
    encoding TEXT NOT NULL CHECK (encoding IN ('gsm7', 'ucs2', '8bit', 'unknown')),
    created_ms INTEGER NOT NULL,
    sim_id INTEGER REFERENCES sims,       -- outbound: the SIM that is bound or asked for
    modem TEXT,
    -- outbound
    class TEXT CHECK (class IN ('otp', 'alert', 'command', 'transactional', 'bulk')),
    lane INTEGER,
    priority INTEGER,
    status TEXT CHECK (status IN ('scheduled', 'queued', 'sending', 'uncertain', 'sent', 'delivered', 'undelivered',
                                  'failed', 'expired', 'cancelled', 'unknown', 'held')),
    ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),  -- 1: its next segment may go now
    due_ms INTEGER,                       -- when ready turns to 1 by itself
    sim_pinned INTEGER NOT NULL DEFAULT 0 CHECK (sim_pinned IN (0, 1)),
    held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    ended TEXT CHECK (ended IN ('cancelled', 'expired')),
    crashes INTEGER NOT NULL DEFAULT 0,
    on_uncertain TEXT CHECK (on_uncertain IN ('resend', 'never')),
    report INTEGER,
    flash INTEGER,
    port INTEGER,
    concat_ref INTEGER,
    ref TEXT,
    key_id TEXT,
    resend_of TEXT,
    send_at_ms INTEGER,
    expires_ms INTEGER,
    sent_ms INTEGER,
    finished_ms INTEGER,
    no_receipt INTEGER NOT NULL DEFAULT 0 CHECK (no_receipt IN (0, 1)),
    error TEXT,                           -- JSON of the contract's error
    -- inbound
    message_class INTEGER,
    parts INTEGER,
    complete INTEGER,
    sent_at_ms INTEGER,                   -- the service centre's time stamp
    read_ms INTEGER,
    flags TEXT NOT NULL DEFAULT '',
    CHECK (direction = 'inbound' OR (status IS NOT NULL AND class IS NOT NULL AND lane IS NOT NULL))
) STRICT;

CREATE INDEX messages_free ON messages (lane, priority DESC, seq) WHERE ready = 1 AND sim_id IS NULL;
CREATE INDEX messages_bound ON messages (sim_id, lane, priority DESC, seq) WHERE ready = 1 AND sim_id IS NOT NULL;
CREATE INDEX messages_due ON messages (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX messages_expiry ON messages (expires_ms) WHERE status IN ('scheduled', 'queued', 'sending');
CREATE INDEX messages_peer ON messages (peer, seq);
CREATE INDEX messages_ref ON messages (ref, seq) WHERE ref IS NOT NULL;
CREATE INDEX messages_inbox ON messages (seq) WHERE direction = 'inbound';
CREATE INDEX messages_status ON messages (status, seq) WHERE status IS NOT NULL;
CREATE INDEX messages_bodies ON messages (created_ms) WHERE text IS NOT NULL OR data IS NOT NULL;
CREATE INDEX messages_receipt ON messages (sent_ms) WHERE status = 'sent' AND no_receipt = 0 AND report = 1;

CREATE TABLE segments (
    segment_id INTEGER PRIMARY KEY,
    message_seq INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    seq INTEGER NOT NULL,                 -- 1, 2, ... of the message
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'submitting', 'submitted', 'delivered', 'undelivered',
                         'failed', 'uncertain', 'unknown', 'expired', 'cancelled')),
    text TEXT,
    data BLOB,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,  -- definite refusals that were retried
    resends INTEGER NOT NULL DEFAULT 0,   -- copies sent because an attempt stayed uncertain
    submitted_ms INTEGER,
    finished_ms INTEGER,
    tp_status INTEGER,
    cms INTEGER,
    error TEXT,
    UNIQUE (message_seq, seq)
) STRICT;

-- Every time a segment was handed to a modem. Committed before Ctrl-Z is written.
CREATE TABLE attempts (
    attempt_id INTEGER PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    segment_id INTEGER NOT NULL REFERENCES segments ON DELETE CASCADE,
    sim_id INTEGER NOT NULL REFERENCES sims,
    modem TEXT NOT NULL,
    port TEXT NOT NULL,                   -- the tty's stable path: where a late answer may still come
    peer TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('submitting', 'submitted', 'not_sent', 'refused', 'uncertain',
                         'unknown', 'delivered', 'undelivered', 'cancelled')),
    boot_id TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    decide_ms INTEGER,                    -- uncertain: when looking for proof ends
    mr INTEGER CHECK (mr BETWEEN 0 AND 255),
    cms INTEGER,
    tp_status INTEGER,
    error TEXT,
    evidence TEXT                         -- what proved it: answer, late_answer, report
) STRICT;

CREATE INDEX attempts_segment ON attempts (segment_id);
CREATE INDEX attempts_mr ON attempts (sim_id, mr, attempt_id) WHERE mr IS NOT NULL;
CREATE INDEX attempts_sim ON attempts (sim_id, attempt_id);
CREATE INDEX attempts_without_mr ON attempts (sim_id, attempt_id) WHERE mr IS NULL;
CREATE INDEX attempts_port ON attempts (port, attempt_id);
CREATE INDEX attempts_cut_off ON attempts (attempt_id) WHERE state = 'submitting';
CREATE INDEX attempts_undecided ON attempts (decide_ms) WHERE state = 'uncertain';

-- Segments that a SIM has paid for, by hour (UTC); written with the intent, so that no crash resets it.
CREATE TABLE usage (
    sim_id INTEGER NOT NULL REFERENCES sims,
    hour_ms INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    PRIMARY KEY (sim_id, hour_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_hour ON usage (hour_ms);

-- Every PDU that a modem handed over, as it came. `acknowledged_ms` is null until it is gone from the SIM.
CREATE TABLE received (
    received_id INTEGER PRIMARY KEY,
    sim_id INTEGER NOT NULL REFERENCES sims,
    modem TEXT NOT NULL,
    pdu TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('deliver', 'status_report', 'submit', 'undecodable')),
    error TEXT,
    received_ms INTEGER NOT NULL,
    acknowledged_ms INTEGER,
    message_seq INTEGER REFERENCES messages ON DELETE SET NULL
) STRICT;
CREATE INDEX received_pdu ON received (sim_id, pdu, received_ms);
CREATE INDEX received_message ON received (message_seq) WHERE message_seq IS NOT NULL;
CREATE INDEX received_age ON received (received_ms);

-- Long inbound messages whose parts are being collected.
CREATE TABLE assemblies (
    assembly_id INTEGER PRIMARY KEY,
    sim_id INTEGER NOT NULL REFERENCES sims,
    peer TEXT NOT NULL,
    ref INTEGER NOT NULL,
    bits INTEGER NOT NULL CHECK (bits IN (8, 16)),
    parts INTEGER NOT NULL CHECK (parts BETWEEN 1 AND 255),
    first_ms INTEGER NOT NULL,
    complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    message_seq INTEGER REFERENCES messages ON DELETE SET NULL
) STRICT;
CREATE INDEX assemblies_open ON assemblies (sim_id, peer, ref, parts, bits) WHERE complete = 0;
CREATE INDEX assemblies_stale ON assemblies (first_ms) WHERE complete = 0 AND message_seq IS NULL;

CREATE INDEX assemblies_message ON assemblies (message_seq) WHERE message_seq IS NOT NULL;

CREATE TABLE assembly_parts (
    assembly_id INTEGER NOT NULL REFERENCES assemblies ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq BETWEEN 1 AND 255),
    received_id INTEGER NOT NULL REFERENCES received,
    PRIMARY KEY (assembly_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX assembly_parts_received ON assembly_parts (received_id);

-- Status reports that no attempt claims yet: they may have outrun the modem's answer.
CREATE TABLE orphan_reports (
    report_id INTEGER PRIMARY KEY,
    sim_id INTEGER NOT NULL REFERENCES sims,
    mr INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    tp_status INTEGER NOT NULL,
    received_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX orphan_reports_mr ON orphan_reports (sim_id, mr);

-- What happened to a message, step by step, for people.
CREATE TABLE timeline (
    timeline_id INTEGER PRIMARY KEY,
    message_seq INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL                  -- JSON
) STRICT;
CREATE INDEX timeline_message ON timeline (message_seq, timeline_id);

-- What is announced. Webhooks fan out from here; `seq` orders it all.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    message_seq INTEGER REFERENCES messages ON DELETE CASCADE,
    data TEXT NOT NULL                    -- JSON, the object as it was then
) STRICT;
CREATE INDEX events_at ON events (at_ms);
CREATE INDEX events_message ON events (message_seq) WHERE message_seq IS NOT NULL;

CREATE TABLE webhook_targets (
    target_id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,                 -- JSON list of patterns
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    delivery_id INTEGER PRIMARY KEY,
    target_id TEXT NOT NULL REFERENCES webhook_targets ON DELETE CASCADE,
    event_seq INTEGER NOT NULL REFERENCES events ON DELETE CASCADE,
    message_seq INTEGER,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    http_status INTEGER,
    error TEXT
) STRICT;
CREATE INDEX deliveries_pending ON deliveries (target_id, due_ms) WHERE state = 'pending';
CREATE INDEX deliveries_order ON deliveries (target_id, message_seq, delivery_id) WHERE state = 'pending';
CREATE INDEX deliveries_event ON deliveries (event_seq);

CREATE TABLE idempotency (
    key_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    message_ids TEXT NOT NULL,            -- JSON list; the same request gets the same messages
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (key_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_ms);
