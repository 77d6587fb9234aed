"""What every surface over HTTP shares; it knows no route.

limits      how long and how big a request may be, and how many connections there may be
connection  one connection under those limits (slow senders, slow readers, idlers)
server      listens on TCP addresses and on the local control socket
names       which Host and Origin are answered
keys        API keys: their form, how one is made and read from a header
lockout     clients that keep guessing keys wait longer and longer
auth        who is asking, and may they: deny by default
problem     every error as RFC 9457 application/problem+json
body        JSON bodies and query strings -> pydantic models, all errors at once
route       @route, and what happens around a handler
openapi     the OpenAPI 3.1 document, made from the routes
middleware  the order in which a request passes these

Why own limits: aiohttp's server waits for ever for the rest of a header or a body, so a few hundred half-open requests
would end the service. Why own routes: the document, the validation and the scope of a route are one declaration here,
so that none of them can be forgotten, and a route without a scope can't be written.
"""
