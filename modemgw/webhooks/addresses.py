"""Which IP addresses a webhook may go to.

A target's name is resolved once, every address of the answer is checked, and the connection goes to one of these: a
second answer can't lead it elsewhere (DNS rebinding). Loopback and the LAN need ``allow_private``; link-local
addresses, where clouds keep their credentials, and everything that is no host are refused always.
Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries.
"""

import ipaddress
from collections.abc import Iterable

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Metadata services that live inside networks which may be private otherwise.
_NEVER = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """A target's address may not be used; the text is one plain sentence."""


def check(found: Iterable[str], *, allow_private: bool) -> None:
    """Raises AddressRefused if any of a name's addresses is not allowed."""
    for text in found:
        reason = _reason(ipaddress.ip_address(text.partition("%")[0]), allow_private=allow_private)
        if reason:
            raise AddressRefused(reason)


def _reason(ip: IpAddress, *, allow_private: bool) -> str | None:
    ip = _inner(ip)
    reserved = ip.is_reserved and not ip.is_loopback  # ::1 lies in a reserved block
    if ip in _NEVER or ip.is_link_local or ip.is_multicast or ip.is_unspecified or reserved:
        return "A webhook may never go to this kind of address (link-local, metadata, multicast, reserved)."
    if ip.is_global and not getattr(ip, "is_site_local", False):
        return None
    return None if allow_private else "This webhook leads into the LAN or to this machine; allow_private permits that."


def _inner(ip: IpAddress) -> IpAddress:
    """The IPv4 address inside an IPv6 one that only wraps it: mapped, 6to4, Teredo, NAT64."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
