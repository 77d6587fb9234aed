"""The API over HTTP: translates requests into the gateway's methods, and nothing more.

app        the application: routes, checks, what is shared
requests   bodies and queries that clients send
answers    what they get back, for the document (the objects themselves come from store.views)
codes      the catalogue of error codes
messages   send, look up, cancel, resend, settle, erase
inbox      what was received
modems     modems and SIMs
service    liveness and readiness
docs       the OpenAPI document and its page

Why the answers are not built from the models: a message's JSON is made in one place, so that the API and the webhooks
can't differ. The models describe it, and tests hold every real answer against them.
"""
