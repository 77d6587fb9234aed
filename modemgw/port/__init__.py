"""The only I/O to hardware: one tty, one ``Chat``, one exchange at a time.

The map: ``errors`` (what a caller must tell apart); ``trace`` (the last lines, redacted); ``link`` (the transport's
side: bytes, timers, waiting); ``port`` (deadlines, prompt and payload, resynchronisation); ``opener`` (from a path to a
connected port); ``discovery`` (which ttys may belong to modems, with ``at_ports.toml``), ``probe`` (which one answers,
and as which modem), ``hotplug`` (that something was plugged in), ``usb`` (resetting the device behind a tty).

Why a package of its own: everything above asks ``await port.run(command)`` and gets an answer that is certainly the
answer to this command, or an exception that says whether a message may have left. Nothing above ever sees a byte.
"""
