"""The gateway's nouns, pure: no I/O, no clock, no randomness.

errors    what a caller may be told, with the words for it
message   Order (what a client asks for) and the classes of traffic
states    segment and message states as tables, advance() and rollup()
msisdn    how people write numbers -> how the network wants them, and where messages may go
mcc       where a SIM is at home
money     an exact amount
balance   an operator's answer -> the amount that is left
sim       what the owner says about a SIM
route     which SIMs may write to which numbers, and when it is quiet
period    hours, days and billing months in the owner's time zone
"""
