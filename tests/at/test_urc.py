"""What modems say unasked, in the shapes that they really use."""

import pytest

from modemgw.at import urc
from modemgw.at.urc import PduHeader, UrcTable

TABLE = UrcTable(boot=("^BOOT", "+QIND: SMS DONE"), full=("+MEMFULL",), ignored=("^RSSI:", "^MODE:"))


def stored(line: str, storage: str | None, index: int | None, *, report: bool = False) -> urc.Stored:
    return urc.Stored(line, report, storage, index)


@pytest.mark.parametrize(
    "expected",
    [
        stored('+CMTI: "SM",3', "SM", 3),
        stored('+CMTI:"ME",0', "ME", 0),
        stored('+CMTI: "SM",3,"MMS PUSH"', "SM", 3),
        stored('+CMTI: "SM",-1', "SM", None),
        stored("+CMTI: ,-1", None, None),
        stored("+CMTI: 7", "7", None),
        stored('+CDSI: "SR",50', "SR", 50, report=True),
        urc.RegistrationChanged('+CREG: 1,"00A1","0000C350",7', "CREG", 1, "00A1", "0000C350", 7),
        urc.RegistrationChanged("+CEREG: 5", "CEREG", 5, None, None, None),
        urc.RegistrationChanged("+CGREG: 2,A1,C3", "CGREG", 2, "A1", "C3", None),
        urc.Ussd('+CUSD: 0,"Your balance, today: 3",15', 0, "Your balance, today: 3", 15),
        urc.Ussd('+CUSD: 1,"say "hi"\nor not",15', 1, 'say "hi"\nor not', 15),
        urc.Ussd('+CUSD: 0,"cut off', 0, "cut off", None),
        urc.Ussd("+CUSD: 4", 4, None, None),
        urc.Ussd('+CUSD: 2,"",0', 2, "", 0),
        urc.Ussd("+CUSD:", None, None, None),
        urc.CallerId('+CLIP: "+15550100123",145,"",,"",0', "+15550100123"),
        urc.CallerId('+CLIP: "",128,,,,2', None),
        urc.Ringing("RING"),
        urc.Ringing("+CRING: VOICE"),
        urc.CallEnded("NO CARRIER"),
        urc.CallEnded("BUSY"),
        urc.SimStateChanged("+CPIN: READY", "READY"),
        urc.SimStateChanged("+CPIN:not inserted", "NOT INSERTED"),
        urc.SignalChanged("+CSQ: 20,99", 20),
        urc.StorageFull('^SMMEMFULL: "SM"', "SM"),
        urc.StorageFull("+SMS FULL", None),
        urc.StorageFull('+QIND: "smsfull","ME"', "ME"),
        urc.StorageFull("+MEMFULL", None),
        urc.ModemRestarted("RDY", sms_ready=False),
        urc.ModemRestarted("+CFUN: 1", sms_ready=False),
        urc.ModemRestarted("^SYSSTART", sms_ready=False),
        urc.ModemRestarted("Call Ready", sms_ready=False),
        urc.ModemRestarted("SMS Ready", sms_ready=True),
        urc.ModemRestarted("SMS DONE", sms_ready=True),
        urc.ModemRestarted("PB DONE", sms_ready=False),
        urc.ModemRestarted("^BOOT:12345678,0,0,0,75", sms_ready=False),
        urc.ModemRestarted("+QIND: SMS DONE", sms_ready=True),
        urc.Notice("^RSSI: 12"),
        urc.Notice('+CIEV: "MESSAGE",1'),
        PduHeader("+CMT: ,24", "+CMT", 24),
        PduHeader("+CMT: 24", "+CMT", 24),
        PduHeader('+CMT: "Mum",24', "+CMT", 24),
        PduHeader("+CDS: 25", "+CDS", 25),
        PduHeader("+CDS: ,25", "+CDS", 25),
        PduHeader("+CBM: 88", "+CBM", 88),
        PduHeader("+CMT:", "+CMT", None),
    ],
)
def test_shape(expected: urc.Urc | PduHeader) -> None:
    assert TABLE.parse(expected.line) == expected


@pytest.mark.parametrize("line", ["^STIN: 1,0,0", "OK", "hello", "+CREG:", "+CREG: x", "READY now", "", "+", "^RSSI"])
def test_what_is_no_urc_is_none_and_never_an_error(line: str) -> None:
    assert TABLE.parse(line) is None


def test_without_a_profile_its_spellings_are_unknown() -> None:
    assert UrcTable().parse("^RSSI: 12") is None
    assert UrcTable().parse("^BOOT:1") is None


def test_a_makers_own_header_of_a_message_means_the_same_as_cmt() -> None:
    table = UrcTable(direct=("+CLASS0:",), ignored=("+CLASS",))

    assert table.parse("+CLASS0: ,24") == PduHeader("+CLASS0: ,24", "+CMT", 24)
    assert UrcTable().parse("+CLASS0: ,24") is None
