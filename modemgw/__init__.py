"""modemgw: an SMS gateway on your own SIM cards.

Three lives to read it by. A message out: ``api`` takes it, ``gateway`` plans it and commits it to ``store``, a sender
picks it, ``modem`` hands its PDU over through ``port`` and ``at``. A message in: ``port`` hears of it, ``modem`` reads
it, ``gateway`` commits it, and only then it is taken off the SIM. A report: the same door, then matched to the attempt.

The packages, from the top; a line may import from the lines below it and from nothing beside or above it:

| package | what it is |
|---|---|
| ``__main__`` ``cli`` | the command ``modemgw``, one file a verb |
| ``app`` | the composition root: builds everything, starts, stops; the only wiring |
| ``config`` ``logs`` ``sdnotify`` | the configuration file; log lines; systemd |
| ``api`` | the HTTP API and its document |
| ``emulator`` | simulated modems and network, for users and tests; imports only ``pdu`` and ``seams`` |
| ``http`` | what every HTTP surface shares: server limits, keys and scopes, Host checks, problem+json, routes |
| ``gateway`` ``webhooks`` | what goes out when and by which SIM, what came in; durable POSTs of events |
| ``modem`` | one modem; speaks AT, never looks into a PDU |
| ``store`` | the only SQL |
| ``port`` | the only I/O to hardware |
| ``at`` ``pdu`` ``domain`` | pure: AT dialogue, SMS codec, nouns and states; no I/O, clock, randomness |
| ``seams`` | clock, ids and randomness, which everything else gets passed in |

Why these layers: the two hard things, codec and dialogue, are pure and tested exhaustively; the one dangerous thing,
the hand-over between disk and SIM, which costs money and can lose messages, happens at two doors only
(``gateway.sender`` out, ``gateway.incoming`` in). import-linter checks every sentence about imports.
"""

__version__ = "0.1.0"
