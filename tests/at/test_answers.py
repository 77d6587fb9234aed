"""Answers as real firmware writes them, to values."""

import pytest

from modemgw.at import answers, commands
from modemgw.at.commands import Command
from modemgw.at.errors import UnexpectedReply
from modemgw.at.events import Reply
from modemgw.at.results import OK

DELIVER = "07915155109099F9040B915155100021F300006280409003008005E8329BFD06"  # 24 octets behind the SMSC
REPORT = "07915155109099F9062A0B915155100021F3628040900300806280409003708000"  # 25


def reply(command: Command, *lines: str) -> Reply:
    return Reply(command, lines, OK)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("Acme Wireless",), "Acme Wireless"),
        (('+CGMI: "Acme"',), "Acme"),
        (('"Acme"',), "Acme"),
        (("Acme", "Model 7"), "Acme Model 7"),
    ],
)
def test_free_text(lines: tuple[str, ...], text: str) -> None:
    assert answers.text(reply(commands.MANUFACTURER, *lines)) == text


@pytest.mark.parametrize(
    "line", ["490154203237518", "+CGSN: 490154203237518", '"490154203237518"', '+CGSN: "490154203237518"']
)
def test_imei(line: str) -> None:
    assert answers.digits(reply(commands.SERIAL_NUMBER, line)) == "490154203237518"


@pytest.mark.parametrize(
    "line",
    [
        "8949020000012345678F",
        "+CCID: 8949020000012345678",
        '+CCID: "8949020000012345678F"',
        "989420000010325476F8",
        "^ICCID: 989420000010325476f8",
    ],
)
def test_iccid_with_padding_quotes_and_swapped_digits(line: str) -> None:
    assert answers.iccid(reply(commands.iccid(), line)) == "8949020000012345678"


def test_pin() -> None:
    for line in ("+CPIN: READY", "+CPIN:READY", '+CPIN: "READY"', "+CPIN: ready"):
        assert answers.pin_state(reply(commands.PIN_STATE, line)) == "READY"
    assert answers.pin_state(reply(commands.PIN_STATE, "+CPIN: SIM PIN")) == "SIM PIN"
    left = answers.pin_retries(
        reply(commands.PIN_RETRIES, "+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10", "+CPINR: SIM PIN2,x")
    )
    assert left == {"SIM PIN": 3, "SIM PUK": 10}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("+CREG: 0,1", answers.Registration(1)),
        ('+CREG: 2,5,"00A1","0000C350",7', answers.Registration(5, "00A1", "0000C350", 7)),
        ("+CREG: 2,1,00A1,C350", answers.Registration(1, "00A1", "C350")),
        ('+CREG: 2,"1","00A1","C350"', answers.Registration(1, "00A1", "C350")),
    ],
)
def test_registration(line: str, expected: answers.Registration) -> None:
    assert answers.registration(reply(commands.registration("CREG"), line)) == expected


@pytest.mark.parametrize(
    ("stat", "registered", "roaming"),
    [
        (0, False, False),
        (1, True, False),
        (2, False, False),
        (3, False, False),
        (5, True, True),
        (6, True, False),
        (7, True, True),
    ],
)
def test_registration_states(stat: int, registered: bool, roaming: bool) -> None:
    state = answers.Registration(stat)
    assert (state.registered, state.roaming) == (registered, roaming)


def test_operator() -> None:
    found = answers.operator(reply(commands.OPERATOR, '+COPS: 0,2,"26201",7'))
    assert found == answers.Operator(0, 2, "26201", 7)
    assert answers.operator(reply(commands.OPERATOR, "+COPS: 0")) == answers.Operator(0, None, None, None)


def test_signal() -> None:
    good = answers.signal(reply(commands.SIGNAL, "+CSQ: 20,99"))
    assert (good.rssi, good.ber, good.dbm) == (20, None, -73)
    unknown = answers.signal(reply(commands.SIGNAL, "+CSQ: 99,99"))
    assert (unknown.rssi, unknown.dbm) == (None, None)
    assert answers.signal(reply(commands.SIGNAL, "+CSQ: 0")).dbm == -113


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), ()),
        (("+CPMS: 3,10,3,10,3,10",), ((None, 3, 10),) * 3),
        (("+CPMS: 0,10,0,10",), ((None, 0, 10),) * 2),
        (("+CPMS: 3,10",), ((None, 3, 10),)),
        (('+CPMS: "SM",3,10,"ME",4,23,"SM",3,10',), (("SM", 3, 10), ("ME", 4, 23), ("SM", 3, 10))),
        (('+CPMS: "SM_P",3,10',), (("SM_P", 3, 10),)),
        (("+CPMS:",), ()),
    ],
)
def test_storage_use(lines: tuple[str, ...], expected: tuple[tuple[str | None, int, int], ...]) -> None:
    found = answers.storage_use(reply(commands.STORAGES, *lines))
    assert tuple((use.name, use.used, use.total) for use in found) == expected


def test_what_is_supported() -> None:
    plain = reply(commands.STORAGES_SUPPORTED, '+CPMS: ("SM","ME"),("SM","ME"),("SM")')
    assert answers.storages_supported(plain) == (("SM", "ME"), ("SM", "ME"), ("SM",))
    wrapped = reply(commands.STORAGES_SUPPORTED, '+CPMS: (("SM","BM","SR"),("SM"))')
    assert answers.storages_supported(wrapped) == (("SM", "BM", "SR"), ("SM",))
    modes = reply(commands.ROUTING_SUPPORTED, "+CNMI: (0-2),(0-3),(0,2),(0-2),(1)")
    assert answers.routing_supported(modes) == ((0, 1, 2), (0, 1, 2, 3), (0, 2), (0, 1, 2), (1,))
    assert answers.routing(reply(commands.ROUTING, "+CNMI: 2,1,0,1,0")) == (2, 1, 0, 1, 0)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ('+CSCA: "+15550100099",145', "+15550100099"),
        ('+CSCA: "15550100099",145', "+15550100099"),
        ('+CSCA: "0170",129', "0170"),
        ('+CSCA: "",129', None),
        ("+CSCA:", None),
        ('+CSCA: "+",145', None),
    ],
)
def test_smsc(line: str, number: str | None) -> None:
    assert answers.smsc(reply(commands.SMSC, line)) == number


def test_own_numbers() -> None:
    found = reply(commands.NUMBER, '+CNUM: "Mine","+15550100123",145', '+CNUM: ,"",129', '+CNUM: "","15550100124",145')
    assert answers.numbers(found) == ("+15550100123", "+15550100124")
    assert answers.numbers(reply(commands.NUMBER)) == ()


@pytest.mark.parametrize(
    ("header", "index", "status", "length"),
    [
        ("+CMGL: 1,0,,24", 1, 0, 24),
        ('+CMGL: 0,1,"Mum",24', 0, 1, 24),
        ("+CMGL: 12,3,24", 12, 3, 24),
        ("+CMGL: 12,1,,24,", 12, 1, 24),
        ("+CMGL: 12,24", 12, None, 24),
        ("+CMGL: 12", 12, None, None),
    ],
)
def test_list_headers(header: str, index: int, status: int | None, length: int | None) -> None:
    assert answers.listed(reply(commands.cmgl(), header, DELIVER)) == (
        answers.StoredPdu(index, status, length, DELIVER),
    )


def test_a_list_with_a_header_that_lost_its_pdu_keeps_the_others() -> None:
    found = answers.listed(reply(commands.cmgl(), "+CMGL: 1,1,,24", DELIVER, "+CMGL: 2,1,,9", "+CMGL: 3,1,,25", REPORT))
    assert [(one.index, one.pdu) for one in found] == [(1, DELIVER), (3, REPORT)]
    assert answers.listed(reply(commands.cmgl())) == ()


@pytest.mark.parametrize(
    ("header", "status", "length"),
    [
        ("+CMGR: 0,,24", 0, 24),
        ('+CMGR: 1,"Mum",24', 1, 24),
        ("+CMGR: ,,24", None, 24),
        ("+CMGR: 24", None, 24),
        ("+CMGR: 1,,24,", 1, 24),
    ],
)
def test_read_headers(header: str, status: int | None, length: int) -> None:
    assert answers.stored(reply(commands.cmgr(1), header, DELIVER)) == answers.StoredPdu(None, status, length, DELIVER)


def test_an_empty_place() -> None:
    assert answers.stored(reply(commands.cmgr(1))) is None
    assert answers.stored(reply(commands.cmgr(1), "+CMGR: 0,,0")) is None


def test_a_pdu_that_lost_characters_is_not_intact() -> None:
    assert answers.StoredPdu(1, 0, 24, DELIVER).intact
    assert not answers.StoredPdu(1, 0, 24, DELIVER[:-2]).intact
    assert answers.StoredPdu(1, 0, 25, REPORT + "FF" * 100).intact


@pytest.mark.parametrize(
    ("parse", "command", "lines"),
    [
        (answers.signal, commands.SIGNAL, ()),
        (answers.digits, commands.IMSI, ("none",)),
        (answers.iccid, commands.iccid(), ("+CCID: 12",)),
        (answers.registration, commands.registration("CREG"), ("+CREG: 2",)),
        (answers.functionality, commands.FUNCTIONALITY, ("+CFUN: x",)),
        (answers.operator, commands.OPERATOR, ("+COPS: ",)),
        (answers.service, commands.SERVICE, ()),
        (answers.link_mode, commands.LINK, ("+CMMS: x",)),
        (answers.message_format, commands.MESSAGE_FORMAT, ("+CMGF:",)),
        (answers.smsc, commands.SMSC, ()),
    ],
)
def test_what_cannot_be_read_says_so(parse: object, command: Command, lines: tuple[str, ...]) -> None:
    assert callable(parse)
    with pytest.raises(UnexpectedReply) as caught:
        parse(reply(command, *lines))
    assert command.name in str(caught.value)
