"""The browser and the site, once for all tests here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.chromium import Browser, Tab, found
from tests.web.site import served


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    executable = found()
    if executable is None:
        reason = "no Chromium on PATH; install the package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    running = Browser(executable, tmp_path_factory.mktemp("chromium"))
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[..., Tab]]:
    """Opens a path of the site in a tab of its own."""
    tabs: list[Tab] = []

    def open_page(path: str = "/", **settings: Any) -> Tab:
        tab = Tab(browser, **settings)
        tabs.append(tab)
        tab.open(site + path)
        return tab

    yield open_page
    for tab in tabs:
        tab.close()
