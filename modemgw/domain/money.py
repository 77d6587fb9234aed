"""An amount of money as an operator writes it: exact, never a float."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """``currency``: ISO 4217 where the sign says so, else the sign as it is written ("$", "Rs"); None: none is said."""

    amount: Decimal
    currency: str | None = None

    def __str__(self) -> str:
        return f"{plain(self.amount)} {self.currency}" if self.currency else plain(self.amount)

    @classmethod
    def of(cls, minor: int, digits: int, currency: str | None) -> "Money":
        """From ``minor`` units, of which 10 to the power of ``digits`` make one."""
        return cls(Decimal(minor).scaleb(-digits), currency)

    @property
    def digits(self) -> int:
        """How many decimals are written."""
        exponent = self.amount.as_tuple().exponent
        assert isinstance(exponent, int)
        return max(0, -exponent)

    @property
    def minor(self) -> int:
        """The amount as a whole number of its smallest unit that is written."""
        return int(self.amount.scaleb(self.digits))


def plain(amount: Decimal) -> str:
    """12.30, with the decimals that it has and no exponent."""
    return format(amount, "f")
