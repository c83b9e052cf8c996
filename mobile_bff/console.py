"""What the commands of the console share: the database of the environment, and who works at it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from backend.infra.database import Database, Unit
from backend.infra.settings import Settings
from mobile_bff.start import open_resources

T = TypeVar("T")


class Run(Protocol):
    """Does a piece of work in one transaction."""

    def __call__(self, work: Callable[[Unit], T]) -> T:
        """Return what the work returns."""
        ...


def settings() -> Settings:
    """Return the settings of the environment. Raises ``SettingsError``."""
    return Settings.from_environment(os.environ)


@contextmanager
def opened() -> Iterator[Database]:
    """Open the database of the environment, and close it afterwards."""
    database = Database(open_resources(settings()))
    try:
        yield database
    finally:
        database.close()


def write(work: Callable[[Unit], T]) -> T:
    """Do a piece of work in one transaction that writes."""
    with opened() as database:
        return database.write(work)


def read(work: Callable[[Unit], T]) -> T:
    """Do a piece of work that reads one consistent view."""
    with opened() as database:
        return database.read(work)


def operator() -> str:
    """Return the name of the operator who is signed in on this machine."""
    return os.environ.get("USER", "console")


def report(well: bool, otherwise: str) -> int:
    """Print what is missing where a command has not done its work; return the exit status."""
    if not well:
        print(otherwise, file=sys.stderr)
    return 0 if well else 1
