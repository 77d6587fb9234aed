"""Decisions and loops: accept, send, receive, report, recover. `gateway.py` is what every surface talks to.

In reading order: gateway (the facade), accept and batch (C1), router, scheduler, limits and breaker (who may send what,
and why), pool (the SIMs that can send, what their senders share), sender with rest and handover (C2, C3: the door out),
incoming (the door in), reassembly, reports (C4), timers (what happens because a time has come), recovery
(what a crash cut off), fleet (modems, their SIMs, who may send), pins (those that were tried), finder (which modem is
on which port), onesim (no writing to another SIM than the chosen), heartbeat, balance and credit (what is left on
prepaid SIMs), describe (modems and SIMs for the API), retry (pure), context (store, clock, ids, chance, settings), bus
(news after a commit).

Why two doors: money or messages can be lost only between a SIM and the disk, and only sender.py and incoming.py stand
there.

Why each SIM pulls: it asks for its next message when it comes free, so there is no plan that a lost modem could upset.
What it may take is decided for a line of messages as a whole, never by walking through a backlog.
"""
