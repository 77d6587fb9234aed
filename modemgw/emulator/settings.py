"""What a modem forgets when it restarts: echo, formats, message routing, chosen storages."""

from dataclasses import dataclass, field

from modemgw.emulator.persona import Persona


@dataclass(slots=True)
class Manners:
    """How one tty talks."""

    echo: bool
    verbose: bool = True
    quiet: bool = False
    cmee: int = 0


@dataclass(slots=True, kw_only=True)
class Settings(Manners):
    """The volatile state of one modem, by the names of the commands that set it; with the manners of its first tty."""

    cmgf: int
    csms: int
    cnmi: tuple[int, ...]
    cpms: list[str]
    cvhu: int
    creg: dict[str, int] = field(default_factory=dict)
    cscs: str = "GSM"
    clip: int = 0
    cmms: int = 0
    crc: int = 0
    cmer: tuple[int, ...] = (0, 0, 0, 0, 0)
    cops_format: int = 0
    csmp: tuple[int, ...] = (17, 167, 0, 0)
    registers: dict[int, int] = field(default_factory=dict)


def fresh(persona: Persona) -> Settings:
    """The settings after a start."""
    return Settings(
        echo=persona.boot.echo,
        cmgf=persona.boot.cmgf,
        csms=persona.boot.csms,
        cnmi=persona.routing.default,
        cpms=list(persona.storage.default),
        cvhu=persona.service.cvhu,
        cscs=persona.service.cscs[0],
    )
