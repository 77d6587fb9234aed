"""Wrong keys cost time, more and more, and never more memory."""

from hypothesis import given
from hypothesis import strategies as st

from modemgw.http.lockout import Lockout, group, is_console


def fail(lockout: Lockout, address: str, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        lockout.failed(address, now)


def test_nine_failures_cost_nothing_and_the_tenth_a_second() -> None:
    lockout = Lockout()
    fail(lockout, "192.0.2.1", 9)
    assert lockout.wait("192.0.2.1", 0) == 0
    fail(lockout, "192.0.2.1", 1)
    assert lockout.wait("192.0.2.1", 0) == 1
    assert lockout.wait("192.0.2.1", 1) == 0
    assert lockout.wait("192.0.2.2", 0) == 0


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    lockout = Lockout()
    fail(lockout, "a", 9)
    waits = []
    for _ in range(14):
        lockout.failed("a", 0)
        waits.append(lockout.wait("a", 0))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


def test_a_good_key_and_a_quiet_half_hour_clear_the_record() -> None:
    lockout = Lockout()
    fail(lockout, "a", 15)
    lockout.succeeded("a")
    assert lockout.wait("a", 0) == 0
    fail(lockout, "b", 15)
    lockout.failed("b", 5000.0)
    assert lockout.wait("b", 5000.0) == 0


def test_a_flood_of_addresses_is_forgotten_oldest_first() -> None:
    lockout = Lockout()
    fail(lockout, "first", 12)
    for number in range(1024):
        lockout.failed(f"address {number}", 0)
    assert lockout.wait("first", 0) == 0
    assert len(lockout._records) == 1024


def test_an_ipv6_client_counts_by_its_network_and_a_mapped_one_as_ipv4() -> None:
    assert group("2001:db8::1") == group("2001:db8::ffff:2")
    assert group("2001:db8::1") != group("2001:db8:0:1::1")
    assert group("::ffff:192.0.2.1") == group("192.0.2.1") == "192.0.2.1"
    assert group("fe80::1%eth0") == group("fe80::2")


def test_only_the_machine_itself_is_the_console() -> None:
    assert is_console(group("127.0.0.1"))
    assert is_console(group("::1"))
    assert not is_console(group("192.168.1.2"))
    assert not is_console(group("fe80::1%eth0"))
    assert not is_console(group(None))


@given(st.text() | st.ip_addresses().map(str))
def test_every_address_can_be_counted(address: str) -> None:
    assert is_console(group(address)) in (True, False)
