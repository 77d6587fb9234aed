"""How a verb ends early: one plain line for standard error and an exit code."""


class Stop(Exception):
    """``text`` says what is wrong and what to do; ``code`` 1 it did not work, 2 it was asked for wrongly."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
