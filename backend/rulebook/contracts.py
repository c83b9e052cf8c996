"""What a look-up in the law gives: a value and where it stands written, or a refusal that names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import ClassVar

from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen


@dataclass(frozen=True)
class Band:
    """A stretch of an amount, up to and including ``up_to`` (``None``: without end), and its rate."""

    up_to: Fen | None
    rate: Fraction


@dataclass(frozen=True)
class Step:
    """What is added from a number on, such as points from an age on. The highest reached counts."""

    starts: int
    add: Fraction


Value = int | Fraction | bool | str | tuple[str, ...] | tuple[Band, ...] | tuple[Step, ...] | None


@dataclass(frozen=True)
class RuleRef:
    """Where a number or a decision comes from.

    ``rule`` is ``PACK/parameter``; ``effective_from`` the first day of the value that applied;
    ``provisional`` whether no official text backs it.
    """

    rule: str
    region: str
    effective_from: date
    document: str
    number: str
    clause: str
    source: str
    provisional: bool
    note: str


@dataclass(frozen=True)
class Finding:
    """A value in force on a day, with its reference."""

    value: Value
    ref: RuleRef

    @property
    def fen(self) -> Fen:
        """Return the value of a parameter in yuan, as fen."""
        return Fen(self.count)

    @property
    def count(self) -> int:
        """Return the value of a parameter that is a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise TypeError(f"{self.ref.rule} is not a whole number")
        return self.value

    @property
    def limit(self) -> Fen | None:
        """Return the value of a parameter that is a limit; ``None`` where the law knows none."""
        return None if self.value is None else self.fen

    @property
    def rate(self) -> Fraction:
        """Return the value of a parameter whose unit is a rate."""
        if not isinstance(self.value, Fraction):
            raise TypeError(f"{self.ref.rule} is not a rate")
        return self.value

    @property
    def flag(self) -> bool:
        """Return the value of a parameter that is yes or no."""
        if not isinstance(self.value, bool):
            raise TypeError(f"{self.ref.rule} is not a flag")
        return self.value

    @property
    def choice(self) -> str:
        """Return the value of a parameter that names one of several ways."""
        if not isinstance(self.value, str):
            raise TypeError(f"{self.ref.rule} is not a choice")
        return self.value

    @property
    def items(self) -> tuple[str, ...]:
        """Return the value of a parameter that lists names."""
        return tuple(item for item in self._list() if isinstance(item, str))

    @property
    def bands(self) -> tuple[Band, ...]:
        """Return the value of a parameter that is a table of bands."""
        return tuple(item for item in self._list() if isinstance(item, Band))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the value of a parameter that is a list of steps."""
        return tuple(item for item in self._list() if isinstance(item, Step))

    def _list(self) -> tuple[str | Band | Step, ...]:
        if not isinstance(self.value, tuple):
            raise TypeError(f"{self.ref.rule} is not a list")
        return self.value


class RuleMissing(Exception):
    """The rulebook holds nothing for this region, topic, day or case. Never guessed at."""

    def __init__(self, region: str, rule: str, day: date, case: str = "") -> None:
        super().__init__(f"no rule {rule} for {region} on {day.isoformat()} {case}".rstrip())
        self.region = region
        self.rule = rule
        self.day = day
        self.case = case


@dataclass(frozen=True)
class RuleNotLoaded(Refusal):
    """The rulebook holds no rule for this region and day, so nothing can be priced."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "系统尚未录入{region}在{service_date}适用的待遇规则（{rule}），无法计算。"
    en = "No rule {rule} of {region} is loaded for {service_date}, so nothing can be priced."
    next_zh = "请先现金支付并保留票据，回参保地申请手工报销。"
    next_en = "Pay in cash, keep the invoice, and file a manual claim where you are insured."
    region: str
    rule: str
    service_date: date
