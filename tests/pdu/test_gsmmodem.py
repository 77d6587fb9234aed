"""The codec of python-gsmmodem-new against ours, on the ground where that one is right.

It is wrong on characters above U+FFFF, on `§`, the backtick and `ÿ`, on a last `@` of a full octet, on 16-bit
references, impossible times and 8-bit data (test_traps_encoding.py, test_traps_decoding.py); those are left out.
"""

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu
from hypothesis import given
from hypothesis import strategies as st

from modemgw.pdu import timestamp
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs
from modemgw.pdu.envelope import wrap
from modemgw.pdu.gsm7_tables import DEFAULT
from modemgw.pdu.segment import plan, submit_for
from modemgw.pdu.tpdu import Deliver, StatusReport
from modemgw.pdu.validity import Absolute, Relative

_GSM = "".join(char for char in DEFAULT if char not in "\x1b§@")
_EXTENDED = "^{}\\[~]|€"
TEXTS = st.one_of(
    st.text(_GSM + _EXTENDED, min_size=1, max_size=400),
    st.builds(lambda word, times: word * times, st.text(_GSM + _EXTENDED, min_size=1, max_size=20), st.integers(1, 60)),
    st.builds(lambda word, times: word * times, st.text("жяё漢字", min_size=1, max_size=9), st.integers(1, 60)),
    st.text("жяё漢字あما" + string.ascii_letters, min_size=1, max_size=200),
)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True)
SHORT = st.from_regex(r"[0-9]{3,11}", fullmatch=True)
QUARTERS = st.integers(-48, 56).map(lambda n: timezone(timedelta(minutes=15 * n)))
TIMES = st.builds(
    lambda at, zone: at.replace(microsecond=0, tzinfo=zone),
    st.datetimes(datetime(2000, 1, 1), datetime(2068, 12, 31)),  # noqa: DTZ001  # the zone is drawn beside it
    QUARTERS,
)
STEPS = st.sampled_from([300, 3600, 43200, 45000, 86400, 172800, 2592000, 3024000, 38102400])


@given(TEXTS, NUMBERS, st.integers(0, 255), st.booleans(), st.booleans(), st.booleans())
def test_submits_are_the_same_octets(
    text: str, number: str, reference: int, report: bool, reject: bool, flash: bool
) -> None:
    theirs = encodeSmsSubmitPdu(
        number,
        text,
        reference=reference,
        requestStatusReport=report,
        rejectDuplicates=reject,
        sendFlash=flash,
    )
    made = plan(text)
    ours = [
        submit_for(
            segment,
            destination=Address.parse(number),
            encoding=made.encoding,
            seq=seq,
            parts=len(made.segments),
            ref=reference,
            mr=reference,  # it knows no other than that of the concatenation
            srr=report,
            rd=reject,
            message_class=0 if flash else None,
        )
        for seq, segment in enumerate(made.segments, 1)
    ]
    wrapped = [wrap(submit.encode()) for submit in ours]
    assert [(pdu.hex, pdu.tpdu_length) for pdu in wrapped] == [(str(pdu), pdu.tpduLength) for pdu in theirs]


@given(NUMBERS, STEPS)
def test_relative_validity(number: str, seconds: int) -> None:
    (theirs,) = encodeSmsSubmitPdu(number, "x", validity=timedelta(seconds=seconds))
    ours = submit_for("x", destination=Address.parse(number), encoding=plan("x").encoding, validity=Relative(seconds))
    assert wrap(ours.encode()).hex == str(theirs)


@given(TIMES)
def test_absolute_validity(at: datetime) -> None:
    (theirs,) = encodeSmsSubmitPdu("+491711234567", "x", validity=at)
    to = Address.parse("+491711234567")
    ours = submit_for("x", destination=to, encoding=plan("x").encoding, validity=Absolute(at))
    assert wrap(ours.encode()).hex == str(theirs)


@given(TEXTS, st.one_of(NUMBERS, SHORT), NUMBERS, TIMES, st.integers(0, 255))
def test_it_reads_what_we_deliver(text: str, sender: str, smsc: str, at: datetime, reference: int) -> None:
    made = plan(text)
    for submit in made.submits(Address.parse("1"), ref=reference):
        deliver = Deliver(
            originator=Address.parse(sender),
            user_data=submit.user_data,
            dcs=Dcs.build(made.encoding),
            scts_raw=timestamp.encode(at, "TP-SCTS"),
        )
        line = wrap(deliver.encode(), Address.parse(smsc))
        read = decodeSmsPdu(line.hex)
        assert read["type"] == "SMS-DELIVER"
        assert (read["number"], read["smsc"]) == (sender, smsc)
        assert (read["text"], read["tpdu_length"]) == (submit.text, line.tpdu_length)
        assert read["time"] == at
        if submit.concat:
            (element,) = read["udh"]
            concat = submit.concat
            assert (element.reference, element.parts, element.number) == (concat.ref, concat.parts, concat.seq)


@given(NUMBERS, st.integers(0, 255), st.integers(0, 255), TIMES, TIMES)
def test_it_reads_our_reports(number: str, mr: int, status: int, sent: datetime, done: datetime) -> None:
    report = StatusReport(
        mr=mr,
        recipient=Address.parse(number),
        scts_raw=timestamp.encode(sent, "TP-SCTS"),
        discharge_raw=timestamp.encode(done, "TP-DT"),
        status=status,
    )
    read = decodeSmsPdu(wrap(report.encode()).hex)
    assert (read["reference"], read["number"], read["status"]) == (mr, number, status)
    assert (read["time"], read["discharge"]) == (sent, done)


@pytest.mark.parametrize("name", ["A", "Bank", "TWILIO", "MyBrand", "Amazon24", "InternetSMS"])
def test_it_reads_our_names(name: str) -> None:
    deliver = Deliver(
        originator=Address.alphanumeric(name),
        user_data=plan("x").submits(Address.parse("1"), ref=0)[0].user_data,
        dcs=Dcs.from_octet(0),
        scts_raw=timestamp.encode(datetime(2026, 3, 4, tzinfo=UTC), "TP-SCTS"),
    )
    assert decodeSmsPdu(wrap(deliver.encode()).hex)["number"] == name
