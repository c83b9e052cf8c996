"""Commands, views and refusals of manual claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from backend.catalogue.contracts import ItemKind
from backend.kernel.errors import Refusal, Retry
from backend.kernel.money import Fen, Quantity, UnitPrice
from backend.settlement.case import CareKind
from backend.settlement.contracts import SettlementView

INVOICES_MAX = 100
LINES_MAX = 500


@dataclass(frozen=True)
class ClaimLine:
    """A line of the list of fees, with its national code; no code: it is outside of the catalogue."""

    code: str
    name: str
    kind: ItemKind
    quantity: Quantity
    unit_price: UnitPrice
    restriction_met: bool | None = None
    served_on: date | None = None


@dataclass(frozen=True)
class BookClaim:
    """A bill that a patient paid in full, with its papers checked by a clerk.

    ``first`` and ``last`` are the days of admission and discharge of a stay, and the same day of any
    other care. ``invoices`` are the numbers of the fiscal invoices (票据号码). ``continues_id`` names
    the claim of an earlier stretch of the same stay.
    """

    person_id: str
    enrolment_id: str | None
    institution_code: str
    care: CareKind
    first: date
    last: date
    disease: str
    emergency: bool
    invoices: tuple[str, ...]
    lines: tuple[ClaimLine, ...]
    continues_id: str | None = None


@dataclass(frozen=True)
class ClaimView:
    """A booked claim. ``payable_fen`` is what is paid out to the patient; nothing once reversed."""

    id: str
    settlement: SettlementView
    invoices: tuple[str, ...]
    continues_id: str | None
    booked_by: str
    booked_at: datetime

    @property
    def payable_fen(self) -> Fen:
        """Return what the patient is paid out."""
        gone = self.settlement.reversed_by_id is not None
        return Fen(0 if gone else self.settlement.fund_fen)


@dataclass(frozen=True)
class ClaimInvalid(Refusal):
    """The claim contradicts itself or lacks what it needs; ``problems`` names everything at once."""

    retry: ClassVar[Retry] = Retry.NEW_REQUEST
    zh = "报销材料需要更正：{problems}。"
    en = "The claim needs correcting: {problems}."
    next_zh = "请按列出的各项一次更正后重新录入。"
    next_en = "Correct all of it and enter the claim again."
    problems: tuple[str, ...]


@dataclass(frozen=True)
class InvoiceClaimed(Refusal):
    """An invoice was reimbursed before; an invoice is reimbursed once."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "票据{invoices}已经报销过，一张票据只能报销一次。"
    en = "Invoices {invoices} were reimbursed before; an invoice is reimbursed once."
    next_zh = "请核对票据号码；如属重复申报，请退回材料。"
    next_en = "Check the numbers; return the papers where they were handed in twice."
    invoices: tuple[str, ...]
    claim_ids: tuple[str, ...]


@dataclass(frozen=True)
class SettledDirectly(Refusal):
    """The stay was settled at the hospital's till; a manual claim would pay it twice."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "这次住院已在{institution}直接结算，不能再手工报销。"
    en = "This stay was settled directly at {institution}; it cannot be claimed again."
    next_zh = "如当时结算有误，请先由医院撤销原结算。"
    next_en = "Let the hospital reverse that settlement first, if it was wrong."
    institution: str
    settlement_ids: tuple[str, ...]


@dataclass(frozen=True)
class CapitatedAtPilot(Refusal):
    """The care is paid by head at this pilot hospital, which bills the patient's share alone."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "该病种在{institution}按人头付费，费用由医院直接结算，不能手工报销。"
    en = "This care is paid by head at {institution}, which settles it; it cannot be claimed."
    next_zh = "请回到签约医院办理结算。"
    next_en = "Go back to the hospital of the agreement."
    institution: str


@dataclass(frozen=True)
class ClaimNotFound(Refusal):
    """There is no such claim, or it was taken back before."""

    retry: ClassVar[Retry] = Retry.NEVER
    zh = "没有这笔手工报销，或已撤销。"
    en = "There is no such claim, or it was taken back."
    next_zh = "请核对报销编号。"
    next_en = "Check the number of the claim."
