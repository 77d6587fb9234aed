"""The life of a segment as a picture: Mermaid text made from the table of states, for the README.

A test compares the two, so that the picture can't lag behind the table.
"""

from modemgw.domain.states import SEGMENT_TRANSITIONS

_WORDS = {
    "intend": "written to a modem",
    "accepted": "the network took it",
    "not_sent": "nothing was sent",
    "retry": "again later",
    "give_up": "refused for good",
    "lost": "no answer",
    "no_proof": "no proof",
    "expire": "too late",
    "cancel": "cancelled",
    "report_delivered": "report",
    "report_undelivered": "report",
    "resolve_sent": "an operator's word",
    "resolve_failed": "an operator's word",
}


def mermaid() -> str:
    """A Mermaid state diagram, without a line end behind it. What leads from a state to itself is left out."""
    lines = ["stateDiagram-v2", "    [*] --> queued"]
    for state, row in SEGMENT_TRANSITIONS.items():
        ways: dict[str, list[str]] = {}
        for event, to in row.items():
            if to != state and _WORDS[event] not in ways.setdefault(to, []):
                ways[to].append(_WORDS[event])
        lines += [f"    {state} --> {to}: {', '.join(words)}" for to, words in ways.items() if words]
    lines += [f"    {state} --> [*]" for state, row in SEGMENT_TRANSITIONS.items() if set(row.values()) <= {state}]
    return "\n".join(lines)
