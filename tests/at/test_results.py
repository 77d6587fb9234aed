"""Final result codes, and what error numbers mean and prove."""

import pytest

from modemgw.at import cme, cms
from modemgw.at.cms import DEFINITE_NOT_SENT, DEFINITE_REFUSED, UNCERTAIN, cms_class
from modemgw.at.results import ResultKind, parse, unglue


@pytest.mark.parametrize(
    ("line", "kind", "code"),
    [
        ("OK", ResultKind.OK, None),
        ("ERROR", ResultKind.ERROR, None),
        ("COMMAND NOT SUPPORT", ResultKind.ERROR, None),
        ("TOO MANY PARAMETERS", ResultKind.ERROR, None),
        ("NA", ResultKind.ERROR, None),
        ("MODEM ERROR: 12", ResultKind.ERROR, None),
        ("+CME ERROR: 3517", ResultKind.CME, 3517),
        ("+CME ERROR: 10", ResultKind.CME, 10),
        ("+CME ERROR:10", ResultKind.CME, 10),
        ("+CME ERROR: SIM busy", ResultKind.CME, 14),
        ("+CME ERROR: sim  not inserted", ResultKind.CME, 10),
        ("+CME ERROR: something new", ResultKind.CME, None),
        ("+CME ERROR: ", ResultKind.CME, None),
        ("+CMS ERROR: 38", ResultKind.CMS, 38),
        ("+CMS ERROR: network timeout", ResultKind.CMS, None),
        ("+CMS ERROR: ²", ResultKind.CMS, None),
    ],
)
def test_a_whole_line_is_a_result(line: str, kind: ResultKind, code: int | None) -> None:
    result = parse(line)
    assert result is not None
    assert (result.kind, result.code, result.text) == (kind, code, line)
    assert result.ok == (line == "OK")


@pytest.mark.parametrize(
    "line",
    [
        "OKAY",
        "NOT OK",
        "OK ",
        "ok",
        "ERRORS",
        "RING",
        "NO CARRIER",
        "BUSY",
        "+CMS ERROR 38",
        "0",
        "4",
        "CONNECT 9600",
        "",
    ],
)
def test_anything_else_is_none(line: str) -> None:
    assert parse(line) is None


def test_numeric_results_only_where_they_may_come() -> None:
    zero, four = parse("0", numeric=True), parse("4", numeric=True)
    assert zero is not None
    assert zero.ok
    assert four is not None
    assert not four.ok
    assert parse("7", numeric=True) is None


def test_glue() -> None:
    assert unglue('ERROR+CNUM: "","+4915100000000",145') == ("ERROR", '+CNUM: "","+4915100000000",145')
    assert unglue('OK+CMTI: "SM",1') == ("OK", '+CMTI: "SM",1')
    assert unglue("OKAY+X") is None


@pytest.mark.parametrize("code", [*range(1, 256)])
def test_network_and_service_centre_numbers_are_refusals(code: int) -> None:
    assert cms_class(code) is DEFINITE_REFUSED


@pytest.mark.parametrize("code", [*range(301, 332), 340])
def test_numbers_of_the_modem_itself_mean_that_nothing_was_sent(code: int) -> None:
    assert cms_class(code) is DEFINITE_NOT_SENT


@pytest.mark.parametrize("code", [0, 256, 299, 300, 332, 333, 339, 341, 350, 500, 512, 513, 514, 515, 3517])
def test_every_other_number_leaves_the_outcome_open(code: int) -> None:
    assert cms_class(code) is UNCERTAIN
    assert cms_class(code, definite={code}) is DEFINITE_REFUSED


@pytest.mark.parametrize(
    "line", ["ERROR", "+CMS ERROR: network timeout", "+CME ERROR: 30", "+CME ERROR: SIM busy", "NA"]
)
def test_words_and_other_families_prove_nothing_about_a_submit(line: str) -> None:
    result = parse(line)
    assert result is not None
    assert result.submit_class() is UNCERTAIN


# The classes of the field reports: R recipient, S SIM, T temporary, N not ready, M repair, P our fault.
POLICIES = {
    "R": [1, 21, 30, 195, 196, 197],
    "S": [8, 10, 28, 29, 50, 69, 193, 311, 312, 315, 316, 317, 318, 330],
    "T": [
        17,
        22,
        27,
        31,
        34,
        38,
        41,
        42,
        47,
        81,
        98,
        111,
        127,
        192,
        194,
        212,
        230,
        255,
        301,
        332,
        350,
        500,
        512,
        513,
        514,
    ],
    "N": [302, 310, 314, 331, 515, 532],
    "M": [208, 300, 313, 320, 322, 341],
    "P": [95, 96, 97, 99, 128, 129, 143, 144, 145, 159, 160, 176, 198, 199, 303, 304, 305, 321, 538],
}


@pytest.mark.parametrize(("policy", "code"), [(policy, code) for policy, codes in POLICIES.items() for code in codes])
def test_policy_of_each_number(policy: str, code: int) -> None:
    meaning = cms.meaning(code)
    assert meaning.policy == policy
    assert meaning.retryable == (policy in "TN")


@pytest.mark.parametrize("code", [*range(600), 3517, 10**9])
def test_every_number_has_a_word_and_a_sentence(code: int) -> None:
    for meaning in (cms.meaning(code), cme.meaning(code)):
        assert meaning.code == meaning.code.lower().replace(" ", "_")
        assert meaning.text.endswith(".")
        assert meaning.policy in "RSTNMP"


def test_the_families_are_not_mixed_up() -> None:
    assert cms.meaning(10).code == "call_barred"
    assert cme.meaning(10).code == "sim_not_inserted"
    result = parse("+CME ERROR: 10")
    assert result is not None
    assert (result.cme, result.cms) == (10, None)
    assert "SIM card" in result.meaning


def test_words_of_the_standard_have_their_number() -> None:
    assert cme.code_of("SIM PIN required") == 11
    assert cme.code_of("incorrect password") == 16
    assert cme.code_of("unheard of") is None
