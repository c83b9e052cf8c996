"""``yibao claim``: a clerk enters a manual claim (手工报销) from a file, shows claims, takes one back."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.catalogue.contracts import ItemKind
from backend.claims import queries, service
from backend.claims.contracts import BookClaim, ClaimLine, ClaimView
from backend.infra.database import Unit
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import parse_quantity, parse_unit_price, yuan_text
from backend.people import queries as people
from backend.rulebook.packs import PackInvalid, read_yaml
from backend.settlement.case import CareKind
from mobile_bff.console import Run, operator, read, write

SHOWN_MAX = 50


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str = ""
    name: str = ""
    kind: ItemKind = ItemKind.TREATMENT
    quantity: str = "1"
    price: str
    restriction_met: bool | None = None
    served_on: date | None = None

    def line(self) -> ClaimLine:
        return ClaimLine(
            code=self.code,
            name=self.name,
            kind=self.kind,
            quantity=parse_quantity(self.quantity),
            unit_price=parse_unit_price(self.price),
            restriction_met=self.restriction_met,
            served_on=self.served_on,
        )


class _Claim(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id_number: str
    institution: str
    care: CareKind
    first: date
    last: date | None = None
    disease: str = ""
    emergency: bool = False
    invoices: list[str]
    continues: str | None = None
    lines: list[_Line]


def claim_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao claim``."""
    parser.add_argument("action", choices=["book", "show", "reverse"])
    parser.add_argument(
        "subject", help="`book`: a YAML file; `show`: a file too; `reverse`: the id"
    )
    parser.add_argument("--reason", default="", help="why it is taken back")
    parser.set_defaults(run=lambda options: _claim(options, write, read, operator()))


def _claim(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.action == "reverse":
        return _report(
            write(lambda u: service.reverse_claim(u, options.subject, options.reason, operator))
        )
    try:
        entered = _Claim.model_validate(read_yaml(Path(options.subject)))
        lines = tuple(line.line() for line in entered.lines)
    except (OSError, ValidationError, ValueError, PackInvalid) as error:
        print(error, file=sys.stderr)
        return 1
    person_id = read(lambda u: people.person_by_id_number(u, entered.id_number))
    if person_id is None:
        print("nobody is registered with this id_number", file=sys.stderr)
        return 1
    if options.action == "show":
        for view in read(lambda u: queries.of_person(u, person_id, SHOWN_MAX)):
            _print(view)
        return 0
    command = BookClaim(
        person_id=person_id,
        enrolment_id=None,
        institution_code=entered.institution,
        care=entered.care,
        first=entered.first,
        last=entered.last or entered.first,
        disease=entered.disease,
        emergency=entered.emergency,
        invoices=tuple(entered.invoices),
        lines=lines,
        continues_id=entered.continues,
    )

    def book(unit: Unit) -> ClaimView | Refusal:
        return service.book_claim(unit, command, operator)

    return _report(write(book))


def _report(outcome: ClaimView | Refusal) -> int:
    if isinstance(outcome, Refusal):
        lines = getattr(outcome, "line_numbers", ())
        where = f" (lines {', '.join(map(str, lines))})" if lines else ""
        print(outcome.message(Locale.EN) + where, file=sys.stderr)
        return 1
    _print(outcome)
    return 0


def _print(view: ClaimView) -> None:
    settled = view.settlement
    print(
        f"{view.id} {settled.service_date} total {yuan_text(settled.total_fen)}, "
        f"payable {yuan_text(view.payable_fen)}; invoices {', '.join(view.invoices)}"
        + (f"; taken back by {settled.reversed_by_id}" if settled.reversed_by_id else "")
    )
