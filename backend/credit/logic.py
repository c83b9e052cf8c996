"""Pure decisions of 先诊疗后付费: who needs no deposit, when what is due, when a default may be listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from backend.credit.contracts import Entitlement, Instalment, PayLaterState, PayLaterView
from backend.kernel.calendar import add_months
from backend.kernel.money import ZERO, Fen, allocate
from backend.rulebook.library import Rulebook


def entitlement(
    region: str,
    day: date,
    identities: Sequence[str],
    home_division: str,
    place_division: str,
    defaulted: bool,
    emergency: bool,
    book: Rulebook,
) -> Entitlement:
    """Tell whether somebody is admitted without a deposit (CN-PL).

    Divisions are those of residence and of the hospital, to county. Who is on the default list has
    lost the privilege, emergencies excepted. Raises ``RuleMissing``.
    """
    named = book.find(region, "pay_later.entitled_identities", day)
    within = book.find(region, "pay_later.within", day)
    near = (
        home_division == place_division
        if within.choice == "COUNTY"
        else home_division[:4] == place_division[:4]
    )
    if defaulted and not emergency:
        pauses = book.find(region, "pay_later.default_pauses_benefits", day)
        return Entitlement(False, "DEFAULTED", pauses.ref)
    if not any(identity in named.items for identity in identities):
        return Entitlement(False, "NO_IDENTITY", named.ref)
    if not near and not emergency:
        return Entitlement(False, "OUTSIDE", within.ref)
    return Entitlement(True, "ENTITLED", named.ref)


def plan(
    debt: Fen, count: int, discharged_on: date, region: str, book: Rulebook
) -> list[Instalment]:
    """Return a debt in equal monthly instalments that sum to it, the first a month after discharge.

    Raises ``ValueError`` where there are fewer than one or more instalments than the rule allows, or
    more than fen to split; ``RuleMissing``.
    """
    most = book.find(region, "pay_later.instalments_max", discharged_on).count
    if not 1 <= count <= most:
        raise ValueError(f"1 to {most}")
    if debt < count:
        raise ValueError("less than one fen an instalment")
    amounts = allocate(debt, [1] * count)
    return [
        Instalment(number, add_months(discharged_on, number), amount)
        for number, amount in enumerate(amounts, 1)
    ]


def overdue(agreement: PayLaterView, today: date) -> Fen:
    """Return what should have been paid by today and was not."""
    due = sum(part.amount_fen for part in agreement.instalments if part.due_on < today)
    return Fen(max(ZERO, due - agreement.paid_fen))


def due_soon(agreement: PayLaterView, today: date, days: int) -> Instalment | None:
    """Return the next instalment that is not covered by what was paid, where it is due within some days."""
    covered = agreement.paid_fen
    for part in agreement.instalments:
        covered = Fen(covered - part.amount_fen)
        if covered < 0:
            return part if today <= part.due_on <= today + timedelta(days=days) else None
    return None


def may_be_listed(agreement: PayLaterView, today: date, region: str, book: Rulebook) -> bool:
    """Tell whether a missed instalment may go on the default list today.

    Only after the patient has been told in writing and the days of grace have passed since
    (``pay_later.grace_days``), and something is still overdue. Raises ``RuleMissing``.
    """
    if agreement.state is not PayLaterState.OVERDUE or agreement.told_on is None:
        return False
    if agreement.objected_on is not None:
        return False  # it is answered first
    grace = book.find(region, "pay_later.grace_days", today).count
    waited = today > agreement.told_on + timedelta(days=grace)
    return waited and overdue(agreement, today) > ZERO


def benefits_paused(
    agreements: Sequence[PayLaterView], region: str, day: date, book: Rulebook
) -> bool:
    """Tell whether a default pauses benefits on a day. Emergencies are the settlement's own rule."""
    if not any(agreement.state is PayLaterState.DEFAULTED for agreement in agreements):
        return False
    return book.find(region, "pay_later.default_pauses_benefits", day).flag


def deposit_refund(deposits: Fen, personal_cash: Fen) -> Fen:
    """Return what goes back to the patient at discharge, or, where negative, is still to be paid.

    ``deposit refund = deposit - personal burden`` that is paid in cash.
    """
    return Fen(deposits - personal_cash)
