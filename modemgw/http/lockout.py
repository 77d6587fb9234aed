"""Clients that keep presenting wrong keys wait longer and longer.

Keys are 256 random bits, so this is not what keeps guessers out: it keeps a broken client from filling the log and
the database's time. Bounded: the addresses that were quiet longest are forgotten first.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

_FREE = 10  # failures without a wait
_LONGEST_S = 900.0
_FORGET_S = 1800.0
_ADDRESSES = 1024


@dataclass(slots=True)
class _Record:
    failures: int
    last: float
    until: float


class Lockout:
    """Failures by address; times are monotonic seconds."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Seconds until this address is listened to again; 0 when it is."""
        record = self._records.get(address)
        return max(0.0, record.until - now) if record else 0.0

    def failed(self, address: str, now: float) -> None:
        """Counts a wrong key; from the tenth on the wait doubles, from 1 s to 15 minutes."""
        record = self._records.pop(address, None)
        if record is None or now - record.last > _FORGET_S:
            record = _Record(0, now, now)
        record.failures += 1
        record.last = now
        if record.failures >= _FREE:
            record.until = now + min(_LONGEST_S, 2.0 ** min(record.failures - _FREE, 16))
        self._records[address] = record
        while len(self._records) > _ADDRESSES:
            self._records.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """A good key clears the record."""
        self._records.pop(address, None)


def group(address: str | None) -> str:
    """The address as it is counted: IPv4 as it is, IPv6 by its /64 (one client owns a whole one)."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        if not ip.is_loopback:
            return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)


def is_console(address: str) -> bool:
    """Is this counted address the machine itself?"""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
