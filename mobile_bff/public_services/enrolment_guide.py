"""B6 参保登记与缴费指引: the waiting period told before it bites; registering itself is not built yet."""

from __future__ import annotations

from datetime import date

import strawberry

from backend.infra.database import Unit
from backend.kernel.calendar import add_months, local_day
from backend.kernel.errors import Locale
from backend.people.logic import waiting_months
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from mobile_bff.connections import BadInput
from mobile_bff.context import Info
from mobile_bff.modules import AppModule, ModuleState

MODULE = AppModule(
    "B6",
    "参保登记与缴费指引",
    "参保缴费",
    "Enrolment and contributions",
    ModuleState.PARTIAL,
    "缴费前可先算居民医保待遇等待期和待遇开始日；在线参保登记和缴费查询尚未开放。",
)
_YEARS_MAX = 60


@strawberry.type(description="How long a resident waits for benefits, told before paying.")
class WaitingPeriod:
    """Months, the first day of benefits, and what would shorten it."""

    months: int = strawberry.field(description="Months of waiting after the payment.")
    benefits_from: date = strawberry.field(description="First day of benefits, if paid that day.")
    months_if_repaired: int = strawberry.field(
        description="Months if every year of the gap that can be is paid back."
    )
    text: str = strawberry.field(description="The same in a sentence, also to read aloud.")
    rule: str = strawberry.field(description="Where it stands written.")


def _said(months: int, starts: date, repaired: int, locale: Locale) -> str:
    if locale is Locale.ZH:
        if not months:
            return f"没有等待期，{starts}起享受待遇。"
        shorter = f"补缴断保年度后可缩短到{repaired}个月。" if repaired < months else ""
        return f"等待期{months}个月，{starts}起享受待遇；等待期内发生的费用医保不支付。{shorter}"
    if not months:
        return f"There is no waiting; benefits begin on {starts}."
    shorter = f" Paying the gap back shortens it to {repaired}." if repaired < months else ""
    return f"{months} months of waiting; benefits begin on {starts}, nothing before.{shorter}"


@strawberry.type
class GuideQueries:
    """What anybody may ask before enrolling."""

    @strawberry.field(
        description="How long a resident waits for benefits; null: no such rule in that area then."
    )
    async def waiting_period(
        self,
        info: Info,
        area_code: str,
        gap_years: int,
        repaired_years: int = 0,
        newborn: bool = False,
        paid_on: date | None = None,
    ) -> WaitingPeriod | None:
        """Return the waiting period for an enrolment outside of the window or after a gap."""
        if not (0 <= repaired_years <= gap_years <= _YEARS_MAX):
            raise BadInput(f"0 ≤ repairedYears ≤ gapYears ≤ {_YEARS_MAX}")
        exempt = "NEWBORN" if newborn else None

        def read(unit: Unit) -> WaitingPeriod | None:
            day, book = paid_on or local_day(unit.now), rulebook()
            try:
                months = waiting_months(gap_years, repaired_years, exempt, area_code, day, book)
                least = waiting_months(gap_years, gap_years, exempt, area_code, day, book)
                ref = book.find(area_code, "waiting.fixed_months", day).ref
            except RuleMissing:
                return None
            starts = add_months(day, months)
            return WaitingPeriod(
                months=months,
                benefits_from=starts,
                months_if_repaired=least,
                text=_said(months, starts, least, info.context.locale),
                rule=f"《{ref.document}》{ref.number}",
            )

        return await info.context.door.read(read)
