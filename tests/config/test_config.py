"""A configuration is taken whole or refused with everything that is wrong with it, each with its line."""

from decimal import Decimal
from pathlib import Path

import pytest

from modemgw import config
from modemgw.domain.sim import BalanceSettings

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="  # 32 octets


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "modemgw.toml"


def write(file: Path, text: str, mode: int = 0o640) -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def refused(file: Path, text: str, *, mode: int = 0o640, **environ: str) -> list[str]:
    """What the user gets to read, one line for each error."""
    with pytest.raises(config.ConfigErrors) as caught:
        config.load(write(file, text, mode), environ)
    return [str(error) for error in caught.value.errors]


def only(file: Path, text: str, **environ: str) -> str:
    (error,) = refused(file, text, **environ)
    return error


def test_without_a_file_the_defaults_hold() -> None:
    settings = config.load(None, {})
    assert settings.gateway.state_dir == Path("/var/lib/modemgw")
    assert settings.http.listen == ("127.0.0.1:8025",)
    assert settings.policy.daily_cap == 500
    assert settings.policy.short_codes == ()
    assert settings.policy.countries is None
    assert settings.modems == settings.sims == settings.webhooks == ()
    assert settings.alerts is None
    assert settings.file is None


def test_every_key_is_read(file: Path) -> None:
    (file.parent / "shop.pin").write_text("1234\n")
    settings = config.load(
        write(
            file,
            f"""
[gateway]
state_dir = "state"
home_country = "DE"
timezone = "Europe/Berlin"
[http]
listen = ["127.0.0.1:8025", "[::1]:8025"]
[policy]
countries = ["DE", "AT"]
short_codes = ["11833"]
daily_cap = 50
[[modem]]
name = "front"
port = "/dev/modemgw/1-1.2"
[[modem]]
imei = "490154203237518"
pin = "4321"
profile = "generic"
smsc = "+491710760000"
enabled = false
[[sim]]
iccid = "8949000000000000001"
name = "shop"
number = "+491711234567"
pin_file = "shop.pin"
roaming = true
tags = ["de"]
per_hour = 10
per_day = 300
per_month = 3000
recipients_per_month = 100
balance_ussd = "*100#"
balance_every = 12
balance_low = 2.50
balance_pattern = 'Konto: (?P<amount>\\S+)'
[[sim]]
iccid = "8949000000000000002"
balance_sms_to = "4443"
balance_sms_text = "BAL"
balance_sms_from = "Operator"
[[webhook]]
url = "http://192.0.2.9/hook"
secret = "{SECRET}"
events = ["message.*", "modem.state"]
allow_private = true
[alerts]
to = "+491711234567"
on = ["modem.failed"]
""",
        ),
        {},
    )
    assert settings.file == file
    assert settings.gateway.state_dir == file.parent / "state"
    assert settings.http.listen == ("127.0.0.1:8025", "[::1]:8025")
    assert settings.policy.countries == ("DE", "AT")
    front, back = settings.modem_settings()
    assert (front.name, front.port, front.pin) == ("front", "/dev/modemgw/1-1.2", None)
    assert (back.name, back.port, back.imei, back.pin) == ("modem-237518", "", "490154203237518", "4321")
    assert (back.profile, back.smsc, back.enabled) == ("generic", "+491710760000", False)
    assert front.pins == back.pins == {"8949000000000000001": "1234"}
    assert settings.sims[0].recipients_per_month == 100
    asked, by_message = (each.balance() for each in settings.sims)
    assert asked is not None
    assert asked.pattern is not None
    assert (asked.ussd, asked.every_s, asked.low, asked.pattern.groups) == ("*100#", 12 * 3600, Decimal("2.5"), 1)
    assert by_message == BalanceSettings(sms_to="4443", sms_text="BAL", sms_from="Operator")
    (target,) = settings.webhook_targets()
    assert (target.url, target.events, target.allow_private) == (
        "http://192.0.2.9/hook",
        ("message.*", "modem.state"),
        True,
    )
    assert target.secret == b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456"
    assert settings.alerts is not None
    assert settings.alerts.on == ("modem.failed",)


def test_everything_wrong_is_listed_at_once_in_the_order_of_the_file(file: Path) -> None:
    errors = refused(
        file,
        """\
[gateway]
home_country = "UK"
[policy]
daily_cap = -1
short_codes = [11833]
[[modem]]
name = "front"
prot = "/dev/ttyUSB0"
[[modem]]
name = "front"
port = "ttyUSB0"
""",
    )
    assert errors[:-1] == [
        "line 2: `home_country` in [gateway]: `UK` is not a country code: did you mean GB?",
        "line 4: `daily_cap` in [policy]: it must be 0 or more",
        "line 5: `short_codes` (entry 1) in [policy]: it must be text in quotes, not a number",
        "line 6: [[modem]] number 1: it needs `port` (where it is plugged in) or `imei` (found on whatever port)",
        "line 8: unknown key `prot` in [[modem]] number 1: did you mean `port`?",
        "line 10: `name` in [[modem]] number 2: this is the name of [[modem]] number 1 already",
    ]
    assert errors[-1].startswith("line 11: `port` in [[modem]] number 2: `ttyUSB0` is not a path: write it like /dev/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[modem]\nport = "/dev/x"', "line 1: there can be several of [[modem]]: write it in two brackets"),
        ('[[http]]\nlisten = "a:1"', "line 1: [http] is a section: write it in single brackets"),
        ("[htpp]", "line 1: unknown section [htpp]: did you mean [http]?"),
        ("[[modems]]\n", "line 1: unknown section [modems]: did you mean [[modem]]?"),
        ("[xyzzy]", "line 1: unknown section [xyzzy]: there are [gateway], [http]"),
        ("gateway = 3", "line 1: [gateway] is a section"),
        ("[http]\nlisten = 8025", "line 2: `listen` in [http]: it must be a list in square brackets, not a number"),
        ("[http]\nlisten = []", "line 2: `listen` in [http]: the list is empty"),
        ("[policy]\ndaily_cap = '5'", "line 2: `daily_cap` in [policy]: it must be a whole number, not text"),
        ("[policy]\ndaily_cap = true", "line 2: `daily_cap` in [policy]: it must be a whole number, not true or false"),
        ("[policy]\ndaily_cap = 2.5", "line 2: `daily_cap` in [policy]: it must be a whole number, not a number"),
        ("[gateway]\ntimezone = 'Europe/Berln'", "did you mean Europe/Berlin?"),
        ("[gateway]\ntimezone = '../etc/passwd'", "there is no time zone"),
        ("[gateway]\nhome_country = 'de'", "did you mean DE?"),
        ("[gateway]\nstate_dir = ' '", "give the path of a directory"),
        ("[gateway]\nstate_dir = 1979-05-27", "it must be text in quotes, not a date or time"),
        ("[[sim]]\nname = 'a'", "line 1: [[sim]] number 1 needs `iccid`"),
        ("[[sim]]\niccid = '123'", "an ICCID is 18 to 20 digits"),
        ("[[sim]]\niccid = '8949000000000000001'\nper_day = -1", "line 3: `per_day` in [[sim]] number 1: it must"),
        ("[[sim]]\niccid = '8949000000000000001'\nnumber = '0171 1'", "write the number in full with +"),
        ("[[modem]]\nimei = '49-015420-323751-8'", "an IMEI is 15 digits"),
        ("[[modem]]\nport = '/dev/x'\npin_file = 'nowhere'", "cannot be read: No such file or directory"),
        ("[[modem]]\nport = '/dev/x'\npin = '12'", "a PIN is 4 to 8 digits"),
        ("[[webhook]]\nurl = 'http://x/'", "it needs `secret` or `secret_file`"),
        (f"[[webhook]]\nurl = 'ftp://x/'\nsecret = '{SECRET}'", "`ftp://x/` cannot be posted to"),
        (f"[[webhook]]\nurl = 'http://u:p@x/'\nsecret = '{SECRET}'", "no user and no password"),
        (f"[[webhook]]\nurl = 'http://x/'\nsecret = '{SECRET}'\nevents = ['mesage.*']", "did you mean `message.*`?"),
        ("[alerts]\non = []", "line 1: [alerts] needs `to`"),
        ("[alerts]\nto = '+491711234567'\non = ['fire']", "it must be one of 'modem.failed'"),
    ],
)  # fmt: skip
def test_each_mistake_is_said_plainly_and_alone(file: Path, text: str, expected: str) -> None:
    assert expected in only(file, text)


SIM = "[[sim]]\niccid = '8949000000000000001'\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("balance_ussd = '100'\nbalance_low = 'much'", "line 4: `balance_low` in [[sim]] number 1: it must be a"),
        ("balance_ussd = '*100#;+CFUN=0'", "is not a USSD code"),
        ("balance_ussd = '**04*1234*4321*4321#'", "codes that change or try a PIN are not sent"),
        ("balance_ussd = '*100#'\nbalance_low = 0.00001", "an amount with four decimals at the most"),
        ("balance_ussd = '*100#'\nbalance_low = nan", "an amount with four decimals at the most"),
        ("balance_ussd = '*100#'\nbalance_low = true", "it must be a number, such as 5 or 2.50"),
        ("balance_ussd = '*100#'\nbalance_every = 0.5", "`balance_every` in [[sim]] number 1: it must be 1"),
        ("balance_ussd = '*100#'\nbalance_every = 9999", "`balance_every` in [[sim]] number 1: it must be 8760"),
        ("balance_ussd = '*100#'\nbalance_pattern = '('", "line 4: `balance_pattern` in [[sim]] number 1: this is no"),
        ("balance_ussd = '*100#'\nbalance_pattern = '[0-9]+'", "it needs a group for the amount, such as (?P<amount>"),
        ("balance_ussd = '*100#'\nbalance_pattern = '(?P<amount>(1+)+)'", "it could search for ever"),
        ("balance_sms_to = 'nobody'\nbalance_sms_text = 'B'", "neither a short code such as"),
        ("balance_sms_to = '4443'\nbalance_sms_text = ' '", "give the text that the operator expects"),
        ("balance_sms_to = '4443'", "line 3: `balance_sms_to` in [[sim]] number 1: give `balance_sms_text` too"),
        ("balance_sms_from = '4443'", "give `balance_sms_to` too, the number that is asked"),
        ("balance_low = 5", "line 3: `balance_low` in [[sim]] number 1: give `balance_ussd`, or `balance_sms_to` and"),
        ("balance_ussd = '*100#'\nbalance_sms_to = '4443'\nbalance_sms_text = 'B'", "`balance_ussd` or `balance"),
    ],
)  # fmt: skip
def test_how_a_balance_is_asked_for_is_checked_at_the_start(file: Path, text: str, expected: str) -> None:
    assert expected in only(file, SIM + text)


@pytest.mark.parametrize(("written", "amount"), [("5", "5"), ("2.50", "2.5"), ("0.1", "0.1"), ("-1.2345", "-1.2345")])
def test_an_amount_is_exactly_what_is_written(file: Path, written: str, amount: str) -> None:
    settings = config.load(write(file, f"{SIM}balance_ussd = '*100#'\nbalance_low = {written}"), {})
    assert settings.sims[0].balance_low == Decimal(amount)


@pytest.mark.parametrize(
    "address",
    [
        "localhost",
        ":8025",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:70000",
        "::1:80",
        "[1.2:80",
        "256.1.1.1:80",
        "a b:80",
    ],
)
def test_a_bad_address_to_listen_on_is_refused(file: Path, address: str) -> None:
    assert f"`{address}`" in only(file, f"[http]\nlisten = '{address}'")


@pytest.mark.parametrize("address", ["127.0.0.1:8025", "0.0.0.0:80", "[::]:8025", "localhost:8025", "gateway.lan:8025"])
def test_a_good_address_to_listen_on_is_taken(file: Path, address: str) -> None:
    assert config.load(write(file, f"[http]\nlisten = '{address}'"), {}).http.listen == (address,)


@pytest.mark.parametrize("port", ["/dev/ttyUSB2", "/dev/serial/by-path/x:1.2", "emulator:a", "tcp://192.0.2.7:4001"])
def test_a_port_is_a_path_an_emulator_or_a_network_address(file: Path, port: str) -> None:
    assert config.load(write(file, f"[[modem]]\nport = '{port}'"), {}).modems[0].port == port


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[http]\nlisten = 'a\n[policy]\n", 2, "cannot be understood"),
        ("[http]\nlisten = 'a:1'\nlisten = 'b:1'\n", 3, "is written twice"),
        ("[http]\n[policy]\n[http]\n", 3, "is written twice"),
        ("[policy]\nshort_codes = ['1',", 2, "cannot be understood"),
        ("[http\n", 1, "cannot be understood"),
    ],
)
def test_broken_toml_is_one_error_with_its_line(file: Path, text: str, line: int, words: str) -> None:
    error = only(file, text)
    assert error.startswith(f"line {line}: ")
    assert words in error


def test_a_file_that_is_not_text_or_not_there(file: Path) -> None:
    file.write_bytes(b"[http]\n# caf\xe9\n")
    with pytest.raises(config.ConfigErrors, match="line 2: the file is not UTF-8 text"):
        config.load(file, {})
    with pytest.raises(config.ConfigErrors, match="there is no such file"):
        config.load(file.parent / "other.toml", {})
    with pytest.raises(config.ConfigErrors, match="Is a directory"):
        config.load(file.parent, {})


def test_a_secret_in_a_file_that_everybody_can_read_is_refused(file: Path) -> None:
    text = "[[modem]]\nport = '/dev/x'\npin = '4321'\n"
    (error,) = refused(file, text, mode=0o644)
    assert error.startswith("line 3: `pin` in [[modem]] number 1: everybody can read")
    assert f"chmod o-r {file}" in error
    assert config.load(write(file, text, 0o640), {}).modems[0].pin is not None
    assert config.load(write(file, "[[modem]]\nport = '/dev/x'\n", 0o644), {}).modems[0].pin is None


def test_secrets_never_show_in_errors_or_in_print(file: Path) -> None:
    text = f"""
[[modem]]
port = "/dev/x"
pin = "77665544332211"
[[webhook]]
url = "http://x/"
secret = "{SECRET}broken"
"""
    everything = "\n".join(refused(file, text))
    assert "77665544332211" not in everything
    assert SECRET not in everything
    good = config.load(write(file, text.replace("77665544332211", "7766").replace("broken", "")), {})
    assert "7766" not in repr(good) + str(good.modem_settings())
    assert SECRET not in repr(good)


def test_a_secret_comes_from_a_file_of_its_own(file: Path) -> None:
    (file.parent / "hook.secret").write_text(SECRET + "\n")
    settings = config.load(write(file, "[[webhook]]\nurl = 'http://x/'\nsecret_file = 'hook.secret'\n"), {})
    assert settings.webhooks[0].secret is not None
    assert settings.webhooks[0].secret.get_secret_value() == SECRET
    (file.parent / "hook.secret").write_text("whsec_no\n")
    error = only(file, "[[webhook]]\nurl = 'http://x/'\nsecret_file = 'hook.secret'\n")
    assert error.startswith("line 3: ")
    assert "whsec_no" not in error


def test_inline_and_file_at_once_is_a_contradiction(file: Path) -> None:
    (file.parent / "pin").write_text("1111")
    error = only(file, "[[modem]]\nport = '/dev/x'\npin = '1111'\npin_file = 'pin'\n")
    assert error == "line 4: `pin_file` in [[modem]] number 1: give `pin` or `pin_file`, not both"


def test_the_environment_wins_over_the_file(file: Path) -> None:
    settings = config.load(
        write(file, "[http]\nlisten = '127.0.0.1:1'\n[policy]\ndaily_cap = 5\n"),
        {
            "MODEMGW__HTTP__LISTEN": "127.0.0.1:9000, [::1]:9000",
            "MODEMGW__POLICY__DAILY_CAP": "7",
            "MODEMGW__POLICY__COUNTRIES": '["DE"]',
            "MODEMGW__POLICY__SHORT_CODES": "11833",
            "MODEMGW__GATEWAY__HOME_COUNTRY": "NO",
            "MODEMGW__GATEWAY__STATE_DIR": "/srv/sms",
            "MODEMGW__MODEM": '[{"port": "emulator:a"}]',
            "MODEMGW_OTHER": "not ours",
        },
    )
    assert settings.http.listen == ("127.0.0.1:9000", "[::1]:9000")
    assert settings.policy.daily_cap == 7
    assert settings.policy.countries == ("DE",)
    assert settings.policy.short_codes == ("11833",)
    assert settings.gateway.home_country == "NO"
    assert settings.gateway.state_dir == Path("/srv/sms")
    assert settings.modem_settings()[0].name == "a"


def test_mistakes_in_the_environment_name_the_variable(file: Path) -> None:
    errors = refused(
        file,
        "[http]\nlisten = '127.0.0.1:1'\n",
        MODEMGW__HTTP__LISTN="a:1",
        MODEMGW__POLICY__DAILY_CAP="many",
        MODEMGW__MODM="[]",
        MODEMGW__SIM="x",
    )
    assert "environment variable MODEMGW__HTTP__LISTN: unknown key `listn` in [http]: did you mean `listen`?" in errors
    assert any("MODEMGW__POLICY__DAILY_CAP" in error and "whole number" in error for error in errors)
    assert any("MODEMGW__MODM" in error and "did you mean [[modem]]?" in error for error in errors)
    assert any("MODEMGW__SIM" in error for error in errors)


def test_the_default_state_directory_can_be_given_and_the_file_wins(file: Path) -> None:
    assert config.load(None, {}, state_dir=Path("/srv/var")).gateway.state_dir == Path("/srv/var")
    write(file, "[gateway]\nstate_dir = '/srv/own'\n")
    assert config.load(file, {}, state_dir=Path("/srv/var")).gateway.state_dir == Path("/srv/own")


def test_the_whole_report_names_the_file_and_the_count(file: Path) -> None:
    with pytest.raises(config.ConfigErrors) as caught:
        config.load(write(file, "[x1]\n[x2]\n"), {})
    assert str(caught.value).splitlines()[0] == f"configuration: 2 errors in {file}"
    assert len(str(caught.value).splitlines()) == 3
