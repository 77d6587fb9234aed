"""The only SQL. One function, one purpose; the first argument is the cursor of the unit of work.

database     the door: durable group commit, reads
transaction  what runs on a connection from BEGIN to COMMIT
connection   one connection, whose functions run in its thread or in the caller's
migrate      schema versions; migrations/*.sql
acceptance   what was accepted becomes rows, long requests in batches
outbox       outbound messages and their segments: end, fold into a status, who may follow
queue        which message may go next, line by line, and what waits for a time
attempts     every hand-over of a segment to a modem: the intent, and who is meant by an answer
outcomes     what became of an attempt: answer, refusal, no answer, report, decision
idempotency  the same request gets the same messages
inbox        raw PDUs, parts, inbound messages
reports      status reports: which attempt do they prove
events       the timeline of a message, and what is announced to webhooks
balances     what is left on each SIM, and when it is asked for
deliveries   the webhook outbox
sims         SIM and modem rows, PIN attempts
keys         API keys
views        read models in the shape of the API
room         is there room on the disk; the ballast for when there is none
integrity    is the file whole: at the start for a limited time, else beside the service
backup       checked copies: by hand, one a day, before an upgrade
rescue       a damaged file is moved aside, its last good copy takes its place, and its queue is held
timebase     the last time in the store, and rows that claim to come from the future
retention    what is deleted when, in small steps
specimen     a database as a busy year would leave it, to measure with

Why functions and no repository objects: the fake of SQLite is SQLite on a temporary file, and a unit of work reads
best as the list of things that happen in one transaction.
"""
