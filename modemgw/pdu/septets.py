"""Packing of septets (23.038 §6.1.2.1): 8 values of 7 bits in 7 octets, the first one in the lowest bits.

All septets move at once: the octets are read as one little-endian number of 512 septets, which is halved
and the upper half moved up by as many bits as it has septets, then the halves are halved, and so on down to
single septets, each in an octet of its own. At most nine steps for any length, an order of magnitude faster than
one by one.
"""

from modemgw.pdu.errors import PduError

_MOST = 512  # septets; more than any length octet announces


def _mask(half: int) -> int:
    """The lower `half` septets of every group of 2·`half`, once the groups stand 16·`half` bits apart."""
    group = (1 << 7 * half) - 1
    return sum(group << at for at in range(0, 8 * _MOST, 16 * half))


_STEPS = tuple((half, _mask(half), _mask(half) << 7 * half) for half in (256, 128, 64, 32, 16, 8, 4, 2, 1))


def _check(count: int) -> None:
    if count > _MOST:
        raise PduError("TP-UD", None, f"more than {_MOST} septets")


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septet values (≤ 512), one an octet, after `fill_bits` unused bits. `octets` has them all."""
    _check(count)
    value = int.from_bytes(octets, "little") >> fill_bits & (1 << 7 * count) - 1
    for half, low, high in _STEPS:
        if half < count:
            value = (value & low) | (value & high) << half
    return value.to_bytes(count, "little")


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Septet values (≤ 512 of them, each below 128) as octets, after `fill_bits` zero bits."""
    count = len(septets)
    _check(count)
    value = int.from_bytes(septets, "little")
    for half, low, high in reversed(_STEPS):
        if half < count:
            value = (value & low) | (value >> half & high)
    return (value << fill_bits).to_bytes((count * 7 + fill_bits + 7) // 8, "little")
