"""Host and Origin: what a browser on the LAN can be made to send, and what it gets."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from modemgw.http.names import allowed_names, check_host, check_origin
from modemgw.http.problem import Refusal

NAMES = allowed_names(["sms.example", "Other.Example."], "gateway")


def host_status(*hosts: str) -> int:
    headers = CIMultiDict([("Host", host) for host in hosts])
    try:
        check_host(make_mocked_request("GET", "/", headers=headers), NAMES)
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8025",
        "192.168.1.7:80",
        "[::1]:8025",
        "[fe80::1]",
        "localhost",
        "LOCALHOST:8025",
        "gateway",
        "gateway:8025",
        "Gateway.local",
        "box.local:1",
        "sms.example",
        "SMS.example:443",
        "other.example",
        "localhost.",
    ],
)
def test_our_own_names_are_answered(host: str) -> None:
    assert host_status(host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8025",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "gateway.evil.example",
        "xlocal",
        "local",
        "127.0.0.1.nip.io",
        "0x7f.1",
        "2130706433",
        "127.1",
        "sms.example.evil.example",
    ],
)
def test_other_names_are_misdirected(host: str) -> None:
    assert host_status(host) == 421


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["a", "b"],
        ["localhost", "localhost"],
        ["localhost@evil.example"],
        ["localhost/"],
        ["localhost:"],
        ["localhost:x"],
        ["::1"],
        ["[::1"],
        ["local host"],
        ["localhost\x00"],
        ["localhost,evil.example"],
        ["löcalhost"],
    ],
)
def test_broken_host_headers_are_400(hosts: list[str]) -> None:
    assert host_status(*hosts) == 400


def origin_status(method: str, **headers: str) -> int:
    sent = {"Host": "gateway.local:8025"} | {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        check_origin(make_mocked_request(method, "/", headers=sent))
    except Refusal as refusal:
        return refusal.status
    return 200


def test_programs_and_our_own_pages_may_change_things() -> None:
    assert origin_status("POST") == 200
    assert origin_status("POST", Origin="http://gateway.local:8025", Sec_Fetch_Site="same-origin") == 200
    assert origin_status("POST", Origin="https://gateway.local:8025") == 200
    assert origin_status("DELETE", Sec_Fetch_Site="none") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://gateway.local"},
        {"Origin": "http://gateway.local:8025.evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "ANYTHING"])
def test_pages_of_other_origins_may_not(method: str, headers: dict[str, str]) -> None:
    assert origin_status(method, **headers) == 403
    assert origin_status("GET", **headers) == 200
