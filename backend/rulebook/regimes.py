"""A changed regime is a new function with its own dates, not an ``if`` in an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Generic, ParamSpec, TypeVar

from backend.rulebook.contracts import RuleMissing

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Regime(Generic[P, R]):
    """One way of reckoning, in force from ``starts`` to ``ends``, both included."""

    name: str
    region: str
    starts: date
    ends: date | None
    function: Callable[P, R]


class Regimes(Generic[P, R]):
    """All ways in which one thing was ever reckoned; each day and region has at most one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._all: list[Regime[P, R]] = []

    def add(
        self, region: str, starts: date, ends: date | None = None
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register the decorated function. Two that overlap in one region are a mistake."""

        def register(function: Callable[P, R]) -> Callable[P, R]:
            regime = Regime(self.name, region, starts, ends, function)
            for other in self._all:
                apart = (other.ends is not None and other.ends < starts) or (
                    ends is not None and ends < other.starts
                )
                if other.region == region and not apart:
                    raise ValueError(f"two regimes {self.name} of {region} overlap")
            self._all.append(regime)
            return function

        return register

    def on(self, region: str, day: date) -> Callable[P, R]:
        """Return the function for a region and day. Raises ``RuleMissing``."""
        for regime in self._all:
            if (
                regime.region == region
                and regime.starts <= day
                and (regime.ends is None or day <= regime.ends)
            ):
                return regime.function
        raise RuleMissing(region, self.name, day)

    def all(self) -> tuple[Regime[P, R], ...]:
        """Return every regime, for tests at each boundary."""
        return tuple(self._all)
