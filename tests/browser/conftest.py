"""A real Chromium with a virtual authenticator, against a real server on localhost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from mobile_bff.processes import free_port
from tests.api.conftest import Site, site_on
from tests.conftest import CHROMIUM

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for one file: its driver holds an event loop that later tests need free."""
    path = shutil.which(CHROMIUM)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def near_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site that knows under which address the browser sees it."""
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("browser")
    origin = f"http://localhost:{port}"
    with site_on("sqlite", request, folder, port=port, YIBAO_PASSKEY_ORIGINS=origin) as running:
        yield running
