"""Targets: what may be written in the configuration, and ids that last."""

import pytest

from modemgw.webhooks.target import WebhookTarget, target_id

from .conftest import SECRET


def test_the_id_follows_from_the_url() -> None:
    one = WebhookTarget.of("https://hook.example/a", SECRET, ("*",))
    assert one.id == target_id("https://hook.example/a") == WebhookTarget.of(one.url, SECRET, ("x",)).id
    assert one.id != target_id("https://hook.example/b")


def test_neither_the_secret_nor_a_token_in_the_query_is_shown() -> None:
    target = WebhookTarget.of("https://hook.example/a?token=4711", SECRET, ("*",))
    assert SECRET not in repr(target)
    assert str(target.secret) not in repr(target)
    assert target.shown == "https://hook.example/a"


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.9/hook", "https://hook.example", "http://[::1]:8080/x?y=1", "http://node-red.local:1880/sms"],
)
def test_good_urls(url: str) -> None:
    assert WebhookTarget.of(url, SECRET, ("*",)).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example",
        "ftp://hook.example",
        "file:///etc/passwd",
        "gopher://hook.example",
        "http://",
        "http:///path",
        "http://user:pass@hook.example",
        "http://hook.example#x",
        "http://hook.example:99999",
        "http://hook.example:x",
        "http://höok.example",
        "http://hook.example/a b\n",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.0.0.0x1/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
    ],
)
def test_urls_that_are_none_or_hide_an_address(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        WebhookTarget.of(url, SECRET, ("*",))
