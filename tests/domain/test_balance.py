"""What is left on a SIM, out of the many ways in which operators say it; and what must not be taken for an amount."""

import random
import re
from decimal import Decimal

import pytest

from modemgw.domain.balance import LONGEST_ANSWER, compile_pattern, read_amount
from modemgw.domain.money import Money
from modemgw.gateway.credit import wordings

NBSP, NARROW = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Your balance is 12.34 EUR.", "12.34 EUR"),
        ("Your balance is 12.34.", "12.34"),
        ("Guthaben: 12,34 €", "12.34 EUR"),
        ("Ihr aktuelles Guthaben beträgt 0,07 Euro.", "0.07 EUR"),
        (f"Ihr Guthaben: 1.234,56{NBSP}EUR", "1234.56 EUR"),
        (f"Kontostand 1{NARROW}234,56 €", "1234.56 EUR"),
        ("Saldo 1.234,56", "1234.56"),
        ("Saldo: Rp 10.000", "10000 IDR"),
        ("Bal: Rs 45.00", "45.00 Rs"),
        ("Bal:-Rs.45.00", "45.00 Rs"),
        ("Bal: ₹1,23,456.50", "123456.50 INR"),
        ("$5", "5 $"),
        ("12.34 EUR", "12.34 EUR"),
        ("Balance $1,234.5", "1234.5 $"),
        ("BALANCE:USD 7", "7 USD"),
        ("Balance 1'234.50 CHF", "1234.50 CHF"),
        ("Balance -12.34", "-12.34"),
        ("Balance \u221212,34 EUR", "-12.34 EUR"),
        ("Balance: EUR -1.20", "-1.20 EUR"),
        ("Balance: -£1.20", "-1.20 GBP"),
        ("Balance - 12.34", "12.34"),
        ("Airtime balance: N500.00", "500.00 NGN"),
        ("Your airtime balance is R12.50", "12.50 ZAR"),
        ("Solde: 5 000 FCFA valable jusqu'au 12/12/26", "5000 XAF"),
        ("Votre crédit est de 3,20€", "3.20 EUR"),
        ("Stan konta: 12,34 zł. Ważne do 31.12", "12.34 PLN"),
        ("Zůstatek 123,40 Kč", "123.40 CZK"),
        ("Egyenlege: 1 250 Ft", "1250 HUF"),
        ("Bakiyeniz 45,50 TL", "45.50 TRY"),
        ("Баланс: 12,50 р.", "12.50 RUB"),
        ("余额为12.34元", "12.34 CNY"),
        ("Bal 0.500 KWD", "0.500 KWD"),
        ("Bal 1.250 KWD", "1.250 KWD"),
        ("Credit: £3", "3 GBP"),
        ("You have $5 left", "5 $"),
        ("Le quedan 5,00 EUR disponibles", "5.00 EUR"),
        ("Balance for +4915551000001 is 3.20 EUR", "3.20 EUR"),
        ("Balance on 31.12.2026: 12,34 EUR", "12.34 EUR"),
        ("Balance 2026-12-31 14:35:09 3.20", "3.20"),
        ("Balance at 9:45 pm: 3.20", "3.20"),
        ("Saldo al 31.12 5,00", "5.00"),
        ("Balance 12 Dec 2026: 3.20", "3.20"),
        ("Balance 31/12/26 3.20 USD", "3.20 USD"),
        ("Balance: 12.34 EUR\r\nValid until 31.12.", "12.34 EUR"),
        ("Valid until 31.12. Balance: 12.34 EUR", "12.34 EUR"),
        ("100 SMS, 500 MB, balance 7.00 EUR, 20 min", "7.00 EUR"),
        ("Bonus balance: 3.00 EUR. Main balance: 12.34 EUR", "12.34 EUR"),
        ("Last call cost 0.30. Balance: 4.70", "4.70"),
        ("Dial *100*5# for more. Balance 4.70", "4.70"),
        ("1 Top up\n2 Data\nBalance: 4.70 EUR", "4.70 EUR"),
    ],
)
def test_an_amount_is_found_as_it_was_meant(text: str, expected: str) -> None:
    assert str(wordings().read(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Unknown service code.",
        "1 Balance\n2 Data",
        "1. Balance\n2. Top up 10 EUR",
        "Your balance will be sent by SMS.",
        "Your balance is low. Recharge with 10 EUR",
        "Your balance is below 5 EUR",
        "Balance: 100 SMS, 500 MB",
        "Balance: 50 %",
        "Balance valid until 31.12.2026",
        "Balance as of 14:35",
        "Get 10 EUR for your friends!",
        "5 EUR bonus and 10 EUR more",
        "Balance +4915551000001",
        "Balance 123456789012345678901234567890",
        "Balance 12.34.56.78.90",
    ],
)
def test_what_tells_no_balance_is_not_taken_for_one(text: str) -> None:
    assert wordings().read(text) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5", "5"), ("12.30", "12.30"), ("12,3", "12.3"), ("1.234", "1234"), ("1,234", "1234"), ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"), ("1.234.567", "1234567"), ("1 234 567,89", "1234567.89"), ("0.500", "0.500"),
        ("-5", "-5"), ("\u2212 5", "-5"), ("+5", "5"), ("1'000", "1000"), ("12,3456", "12.3456"),
        ("", None), ("-", None), ("1.2.3", None), ("1,2,3.4", "123.4"), ("1.23456", None), ("1" * 13, None),
        ("x", None),
    ],
)  # fmt: skip
def test_separators_of_decimals_and_thousands(written: str, expected: str | None) -> None:
    found = read_amount(written)
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize("amount", ["0", "0.1", "12.30", "-0.07", "123456789012.3456"])
def test_money_goes_through_whole_numbers_and_back_exactly(amount: str) -> None:
    money = Money(Decimal(amount), "EUR")
    assert str(Money.of(money.minor, money.digits, "EUR")) == f"{amount} EUR"


def test_the_owners_own_pattern_says_where_the_amount_stands() -> None:
    own = compile_pattern(r"konto b: (?P<amount>[0-9.,]+) ?(?P<currency>\S{1,4})?")
    assert wordings().read("Konto A: 1,00 €\nKonto B: 2.345,00 €", own) == Money(Decimal("2345.00"), "EUR")
    assert wordings().read("Konto B: 7", own) == Money(Decimal(7))
    assert wordings().read("Guthaben: 1,00 €", own) is None, "the built-in wordings don't step in"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "no regular expression"),
        ("balance", "needs a group for the amount"),
        ("(?P<amount>x)" + "y" * 200, "longer than 200"),
        ("(?P<amount>(a+)+)b", "search for ever"),
        ("((a|b)c?)*(?P<amount>x)", "search for ever"),
        (r"((?P<amount>\d*),?){2,}", "search for ever"),
        (r".*.*.*(?P<amount>\d)", "search for ever"),
        (r"[^x]*\D+\S*(?P<amount>\d)", "search for ever"),
        (r"\w+\s*.*b.*(?P<amount>\d)", "search for ever"),
        (r"[a-z]*[\w.]*[A-Z]*(?P<amount>\d)", "search for ever"),
        (r"\d*\d*\d*\d*\d*(?P<amount>\d+)", "search for ever"),
    ],
)
def test_a_pattern_that_can_not_work_is_refused_with_a_sentence(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"bal(?:ance)?[:=] *(?P<amount>[0-9.,]+)( EUR| USD)?",
        r"\(\+\)*(?P<amount>\d+)",
        r"b.*?(?P<amount>[\d.,]+)\s*(?P<currency>\w+)",
        r"[(+]{2}.*?(?P<amount>-?\d+)",
    ],
)
def test_a_plain_pattern_is_taken(pattern: str) -> None:
    assert isinstance(compile_pattern(pattern), re.Pattern)


def test_no_answer_whatever_it_is_breaks_the_reading() -> None:
    rng = random.Random(7)
    pieces = [
        "balance",
        "guthaben",
        "1",
        "23",
        ".",
        ",",
        " ",
        "-",
        "EUR",
        "Rs.",
        "31.12.",
        ":",
        "\n",
        "\0",
        "€",
        "٣",
        "½",
    ]
    for _ in range(2000):
        text = "".join(rng.choices(pieces, k=rng.randrange(60)))
        found = wordings().read(text)
        assert found is None or Money.of(found.minor, found.digits, found.currency) == found
    assert wordings().read("x" * 100_000 + "balance 5 EUR") is None, "only the beginning is looked at"
    assert LONGEST_ANSWER < 1000
