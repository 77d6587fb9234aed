"""What the configuration says about one modem, as the driver needs it.

Secrets are already read from their files; they are kept out of ``repr`` and so out of logs and tracebacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """One ``[[modem]]``, with the PINs of the ``[[sim]]`` tables beside it.

    ``port``: a tty path, ``tcp://host:port`` or ``emulator:name``, as the injected connector understands it; empty for
    a modem that is known by its ``imei`` alone, until it is found.
    ``imei``: 15 digits; a modem that shows another one is not used (``wrong_identity``).
    ``pin``: 4-8 digits, for a SIM whose ICCID is not in ``pins``; ``pins``: ICCID -> PIN.
    ``smsc``: the service centre to store in a SIM that has none, ``+`` and digits.
    ``power_command``: a program and its arguments that cut the modem's power for a moment.
    ``profile``: name of the profile to use whatever the modem says it is.
    """

    name: str
    port: str
    imei: str | None = None
    pin: str | None = field(default=None, repr=False)
    pins: Mapping[str, str] = field(default_factory=dict, repr=False)
    smsc: str | None = None
    profile: str | None = None
    enabled: bool = True
    power_command: tuple[str, ...] = ()

    def pin_for(self, iccid: str | None) -> str | None:
        """The PIN configured for this SIM, or for any SIM in this modem."""
        return self.pins.get(iccid, self.pin) if iccid else self.pin
