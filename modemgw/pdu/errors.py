"""PduError: the one exception of this package. Carries facts; whoever shows it to people translates it."""


class PduError(ValueError):
    """Octets that are no PDU, or a value that cannot be put into one.

    `field` is the standard's name of the field (TP-UD, TP-DA, SMSC, …), `offset` the octet at which
    decoding stopped (from the start of what was decoded; None when encoding), `reason` one plain clause.
    The reason quotes no message text, at most single characters by their code points.
    """

    def __init__(self, field: str, offset: int | None, reason: str) -> None:
        super().__init__(field, offset, reason)
        self.field = field
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        where = "" if self.offset is None else f" at octet {self.offset}"
        return f"{self.field}{where}: {self.reason}"
