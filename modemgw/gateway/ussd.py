"""USSD strings: how a code is written for a modem, and what the network's answer says.

Most modems take and show plain text. Some want septets packed as hex (their profile says ``ussd_packed``), whatever
character set was chosen, and any may show UCS2 as hex where the coding scheme says so. Firmware cuts answers short, so
an odd digit at the end is dropped and what can't be decoded is shown as it came. Nothing here raises on an answer.
Sources: 3GPP TS 27.007, 7.15; 3GPP TS 23.038, 5 (coding scheme) and 6.1.2.3.1 (packing: a CR fills seven spare bits).
"""

import re

from modemgw.modem.modem import Modem
from modemgw.pdu import gsm7, septets
from modemgw.store.views import Json

# <m> of +CUSD, by what it means for whoever asked.
_STATUSES = ("done", "open", "ended_by_network", "answered_elsewhere", "not_supported", "network_timeout")
_HEX = re.compile(r"[0-9A-Fa-f]{2,}")
_GENERAL, _LANGUAGE_UCS2 = 0x40, 0x11
_MOST = 160  # octets: the standard's own limit


async def ask(modem: Modem, code: str, *, keep_open: bool) -> Json:
    """One request and its answer. ``keep_open``: a dialogue that wants a reply goes on with the next request.

    Raises ModemError.
    """
    profile = modem.profile
    packed = profile is not None and profile.ussd_packed
    reply = await modem.ussd(encode(code, packed=packed), keep_open=keep_open)
    status = _STATUSES[reply.more] if 0 <= reply.more < len(_STATUSES) else "done"
    if status == "open" and not keep_open:
        status = "closed"
    return {"modem": modem.name, "text": decode(reply.raw, reply.dcs, packed=packed), "status": status}


def encode(code: str, *, packed: bool) -> str:
    """What ``AT+CUSD=1,"…"`` wants for ``*100#``. PduError for characters that GSM 7-bit lacks."""
    if not packed:
        return code
    values = gsm7.encode(code, "USSD")
    if len(values) % 8 == 7:
        values += b"\r"  # seven spare bits of zeros would read as one more character
    return septets.pack(values).hex().upper()


def decode(raw: str, dcs: int | None, *, packed: bool) -> str:
    """The text of ``+CUSD: m,"<raw>",<dcs>``; ``raw`` has the modem's bytes as Latin-1."""
    if _HEX.fullmatch(raw):
        if dcs is not None and _is_ucs2(dcs):
            octets = bytes.fromhex(raw[: len(raw) // 4 * 4])
            # The language, if it is told, comes first as two letters in two octets.
            return octets[2 if dcs == _LANGUAGE_UCS2 else 0 :].decode("utf-16-be", "replace")
        if packed:
            octets = bytes.fromhex(raw[: len(raw) // 2 * 2])[:_MOST]
            values = septets.unpack(octets, len(octets) * 8 // 7)
            # Where a multiple of eight septets ends in CR, it only filled the last octet.
            return gsm7.decode(values[:-1] if len(values) % 8 == 0 and values.endswith(b"\r") else values)
    return _plain(raw)


def _is_ucs2(dcs: int) -> bool:
    """General data coding (01xx) with that alphabet, or the message that names its language."""
    return dcs == _LANGUAGE_UCS2 or (dcs & 0xC0 == _GENERAL and dcs & 0x0C == 0x08)


def _plain(raw: str) -> str:
    octets = raw.encode("latin-1", "replace")
    if any(octet < 0x20 and octet not in b"\r\n\t" for octet in octets) and max(octets) < 0x80:
        return gsm7.decode(octets)  # such codes are letters of the GSM alphabet, and nothing in any other
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return raw
