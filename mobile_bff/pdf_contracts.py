"""What a paper says, before it is laid out as PDF; apart, so that the layout is loaded with the first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A table with a head. ``numbers``: the columns that are set to the right."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Paper:
    """What a page says, all of it in words. ``link`` is drawn as a code to scan."""

    title: str
    number: str
    stated: tuple[tuple[str, str], ...]
    grids: tuple[Grid, ...]
    notes: tuple[str, ...]
    link: str
    issuer: str
