"""Decisions and loops: accept, send, receive, report, recover. `gateway.py` is what every surface talks to.

In reading order: gateway (the facade), accept (C1), scheduler and limits (who may send what, pure), sender (C2, C3: the
door out), incoming (the door in), reassembly, reports (C4), timers (what happens because a time has come), recovery
(what a crash cut off), fleet (modems, their SIMs, who may send), describe (modems and SIMs for the API), retry (pure),
context (store, clock, ids, chance, settings), bus (news after a commit).

Why two doors: money or messages can be lost only between a SIM and the disk, and only sender.py and incoming.py stand
there.
"""
