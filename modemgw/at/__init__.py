"""The AT dialogue with a modem, free of I/O: bytes in, events out.

The map, lowest first: ``errors``; ``params`` (the cursor over ``1,"SM",,(0-3)``); ``cms`` and ``cme`` (what the error
numbers mean and prove); ``results`` (final result codes); ``lines`` (bytes to lines and prompts); ``urc`` and
``direct`` (what a modem says unasked, on one line and on two); ``commands`` and ``answers`` (what is asked, and what
came back); ``events`` (what a chat tells); ``echo``; ``ledger`` (which commands may still be answered late, and the
proof that none is); ``submission`` (which message a result belongs to); ``chat`` (one command in flight on one port).

Why no I/O: everything that can go wrong between two programs on a serial line - cuts, glue, echo, lost and late
answers - can then be tried exhaustively, one byte at a time, without a clock. Standards: V.250, 3GPP TS 27.005 and
27.007.
"""
