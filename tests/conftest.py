"""The whole suite runs in several processes (tools/test): which tests must not run beside each other.

Tests of real processes on terminals wait far more than they work, and some watch that something comes in time. They
stay in one process, one after the other, and all that only computes goes to the rest.
"""

import pytest


@pytest.hookimpl(trylast=True)  # whoever marks tests has done so
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if item.get_closest_marker("system") is not None:
            item.add_marker(pytest.mark.xdist_group("real time"))
