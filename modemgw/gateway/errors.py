"""What went wrong with a message, in the API's shape, built in one place."""


def error(
    code: str, text: str, *, retryable: bool, cms: int | None = None, tp_status: int | None = None
) -> dict[str, object]:
    """``{"code", "text", "retryable", "cms", "tp_status"}``; ``text`` is one plain sentence for the owner."""
    return {"code": code, "text": text, "retryable": retryable, "cms": cms, "tp_status": tp_status}
