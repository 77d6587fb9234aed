"""Every verb finds the configuration and the data that ``modemgw run`` uses."""

from pathlib import Path

import pytest

from modemgw.cli import where
from modemgw.config import DEFAULT_STATE_DIR


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    top = tmp_path / "checkout"
    (top / "tools").mkdir(parents=True)
    (top / "tools" / "run").touch()
    (top / "var").mkdir()
    return top


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return tmp_path / "etc.toml"


def test_what_is_given_wins(checkout: Path, service: Path) -> None:
    service.touch()
    given = Path("/dev/null")
    assert where.find(given, service=service, top=checkout) == (given, checkout / "var")


def test_an_installed_service_comes_before_the_checkout_and_keeps_its_data(checkout: Path, service: Path) -> None:
    service.touch()
    (checkout / "var" / "modemgw.toml").touch()
    assert where.find(None, service=service, top=checkout) == (service, DEFAULT_STATE_DIR)
    assert where.find(service, service=service, top=checkout) == (service, DEFAULT_STATE_DIR)


def test_a_checkout_uses_its_own_directory(checkout: Path, service: Path) -> None:
    assert where.find(None, service=service, top=checkout) == (None, checkout / "var")
    (checkout / "var" / "modemgw.toml").touch()
    assert where.find(None, service=service, top=checkout) == (checkout / "var" / "modemgw.toml", checkout / "var")


def test_an_installed_package_without_configuration(tmp_path: Path, service: Path) -> None:
    assert where.find(None, service=service, top=tmp_path / "site-packages") == (None, DEFAULT_STATE_DIR)
