"""What the gateway may have to tell a caller.

One tree, split by what the caller can do about it; every surface (HTTP, command line) translates it once.
Texts are plain sentences; none of them repeats message text.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request: where (a path such as ``to`` or ``to.3``), which kind, in words."""

    path: str
    code: str
    text: str


class GatewayError(Exception):
    """Root: ``code`` is a stable word of the API, ``text`` one plain sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Rejected(GatewayError):
    """The request can't be carried out as it stands; all its problems at once. Nothing was stored."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].code, "; ".join(problem.text for problem in problems))
        self.problems = problems


class NotFound(GatewayError):
    """There is no such message, modem or key."""

    def __init__(self, what: str) -> None:
        super().__init__("not_found", f"There is no {what}.")


class Conflict(GatewayError):
    """The thing exists, but its present state does not allow this."""


class KeyReused(GatewayError):
    """The same Idempotency-Key came with another body."""

    def __init__(self) -> None:
        super().__init__("idempotency_key_reused", "This Idempotency-Key was used before with another request.")


class StoreUnavailable(GatewayError):
    """The database can't take work now; nothing was stored, and trying again later is right."""

    def __init__(self, text: str) -> None:
        super().__init__("store_unavailable", text)


class DiskFull(GatewayError):
    """Too little room on the disk to promise anything."""

    def __init__(self) -> None:
        super().__init__("disk_full", "The disk is full: nothing was accepted. Free some space and try again.")
