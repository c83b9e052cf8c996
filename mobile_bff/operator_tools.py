"""``yibao capitation``, ``pay-later`` and ``family``: what the province's own people clear and follow up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any

from backend.credit import queries as credit
from backend.credit import service as credit_service
from backend.credit.contracts import PayLaterNotPossible, PayLaterState, PayLaterView
from backend.entitlements import logic as capitation
from backend.entitlements import queries as entitled
from backend.entitlements import service as entitlements
from backend.entitlements.contracts import CapitationAgreement, Pilot
from backend.identity import queries as identity
from backend.identity import registration, safety
from backend.infra import queue
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import local_day, local_minute
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import parse_yuan, yuan_text
from backend.payments import queries as payments
from backend.payments.stays import was_in_hospital
from backend.people import queries as people
from backend.people.contracts import InsuranceType
from backend.proxies import queries as bindings
from backend.proxies import service as relatives
from backend.proxies.contracts import ConsentKind
from backend.rulebook.contracts import RuleMissing
from backend.rulebook.library import rulebook
from mobile_bff.console import Run, operator, read, write


def capitation_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao capitation``."""
    parser.add_argument(
        "action", choices=["pilot", "sign", "rest", "list", "month", "year", "close"]
    )
    parser.add_argument("subject", help="institution's code; of `rest`, the agreement")
    parser.add_argument(
        "period",
        help="2026-03, or 2026 of `year` (shows it) and `close`; of `sign`, the enrolment; of `pilot`, seats",
    )
    parser.add_argument("--area", help="insured area of those who signed; of all but sign and rest")
    parser.add_argument("--insurance", choices=[i.value for i in InsuranceType], default="EMPLOYEE")
    parser.add_argument("--missed-quality", default="0", help="share of the due, such as 0.05")
    parser.set_defaults(run=lambda options: _capitation(options, write, read, operator()))


def misuse_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao misuse`` be run."""
    parser.set_defaults(run=lambda _: _misuse(read))


def vouch_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao vouch``."""
    parser.add_argument("id_number", help="of the identity card in hand")
    parser.add_argument("device", nargs="?", help="the session that the person shows; none: list")
    parser.set_defaults(run=lambda options: _vouch(options, write, read, f"operator:{operator()}"))


def register_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao register``."""
    parser.add_argument("action", choices=["list", "approve", "reject"])
    parser.add_argument("registration", nargs="?")
    parser.set_defaults(
        run=lambda options: _registrations(options, write, read, f"operator:{operator()}")
    )


def jobs_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao jobs`` be run."""
    parser.set_defaults(run=lambda _: _jobs(read))


def family_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao family``."""
    parser.add_argument("action", choices=["list", "approve", "renew", "pay", "reject", "end"])
    parser.add_argument("binding", nargs="?")
    parser.add_argument("--limit", help="of `pay`: yuan for one payment")
    parser.add_argument("--day", help="of `pay`: yuan for a day")
    parser.set_defaults(run=lambda options: _family(options, write, read, f"operator:{operator()}"))


def pay_later_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao pay-later``."""
    parser.add_argument("action", choices=["show", "pay", "tell", "list", "extend"])
    parser.add_argument("agreement", nargs="?")
    parser.add_argument("value", nargs="?", help="yuan to pay, or months to extend by")
    parser.set_defaults(run=lambda options: _pay_later(options, write, read, operator()))


def _vouch(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    person_id = read(lambda u: people.person_by_id_number(u, options.id_number.upper()))
    if person_id is None:
        print("nobody is registered with this number", file=sys.stderr)
        return 1
    if options.device is None:
        for device in read(lambda u: identity.devices(u, person_id)):
            print(device.session_id, device.device_name, local_minute(device.last_seen_at))
        return 0
    outcome = write(lambda u: safety.vouch(u, operator, person_id, options.device))
    if isinstance(outcome, Refusal):
        print(outcome.message(Locale.EN), file=sys.stderr)
        return 1
    print(f"counts as proven until {local_minute(outcome.until)}")
    return 0


def _jobs(read: Run) -> int:
    waiting = read(lambda unit: queue.postponements(unit, 100))
    for one in waiting:
        print(one.job, one.item, f"{one.failures}x", local_minute(one.next_at), one.failure)
    return 1 if waiting else 0


def _misuse(read: Run) -> int:
    for report in read(lambda unit: payments.misuse_reports(unit, 100)):
        print(report.id, report.settlement_id, local_minute(report.reported_at), report.words)
    return 0


def _registrations(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.action == "list":
        for view in read(lambda unit: registration.waiting(unit, 50)):
            print(view.id, view.person_name, view.phone, local_minute(view.asked_at))
        return 0
    act = registration.approve if options.action == "approve" else registration.reject
    outcome = write(lambda u: act(u, operator, options.registration or ""))
    if isinstance(outcome, Refusal):
        print(outcome.message(Locale.EN), file=sys.stderr)
        return 1
    print(options.registration, f"{options.action}d" if outcome else "rejected")
    return 0


def _family(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.action == "list":
        for view in read(lambda unit: bindings.waiting_for_review(unit, 50)):
            at = local_minute(view.requested_at)
            print(view.id, view.state.value, view.relation.value, view.owner_name, at)
        return 0
    binding = options.binding or ""
    limits = [None if text is None else parse_yuan(text) for text in (options.limit, options.day)]
    acts: dict[str, Callable[[Unit], Any]] = {
        "approve": lambda u: relatives.approve_at_desk(u, operator, binding),
        "renew": lambda u: relatives.consent_at_desk(u, operator, binding, ConsentKind.RENEW),
        "pay": lambda u: relatives.consent_at_desk(u, operator, binding, ConsentKind.PAY, *limits),
        "reject": lambda u: relatives.reject_at_desk(u, operator, binding),
        "end": lambda u: relatives.end_at_desk(u, operator, binding),
    }
    outcome = write(acts[options.action])
    if isinstance(outcome, Refusal):
        print(outcome.message(Locale.EN), file=sys.stderr)
        return 1
    print(outcome.id, outcome.state.value, f"until {outcome.expires_on}")
    return 0


def _capitation(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    found = read(lambda unit: institutions.by_code(unit, options.subject))
    if found is None and options.action != "rest":
        print(f"there is no institution {options.subject}", file=sys.stderr)
        return 1
    if not options.area and options.action not in ("sign", "rest"):
        print("--area names whose fund pays, such as 510100", file=sys.stderr)
        return 2
    try:
        pilot = Pilot(
            found.id if found else "", options.area or "", InsuranceType(options.insurance)
        )
        return _report(_headed(options, pilot, write, read, operator))
    except (RuleMissing, capitation.QualityOutOfBounds, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _headed(
    options: argparse.Namespace, pilot: Pilot, write: Run, read: Run, operator: str
) -> object:
    period, missed = options.period, Fraction(options.missed_quality)
    if options.action == "pilot":
        area, seats = options.area, int(period)
        write(lambda u: entitlements.set_pilot(u, operator, pilot.institution_id, area, seats))
        held = read(lambda u: entitled.pilots(u, area, local_day(u.now), 100))
        return next(one for one in held if one.institution_id == pilot.institution_id)
    if options.action == "sign":
        return write(
            lambda u: entitlements.sign_capitation(
                u, operator, period, pilot.institution_id, local_day(u.now)
            )
        )
    if options.action == "year":
        months, cost = read(lambda u: entitled.months_of_year(u, pilot, int(period)))
        return capitation.clear_year(options.area, int(period), months, cost, missed, rulebook())
    if options.action == "close":
        return write(
            lambda u: entitlements.clear_year(u, operator, pilot, int(period), missed, rulebook())
        )
    month = date.fromisoformat(f"{period}-01")
    if options.action == "rest":
        return write(lambda u: entitlements.suspend_capitation(u, operator, options.subject, month))
    if options.action == "list":
        return read(lambda u: entitled.agreements_of(u, pilot, month))
    return write(
        lambda u: entitlements.clear_month(u, operator, pilot, month, was_in_hospital, rulebook())
    )


def _report(outcome: object) -> int:
    """Print a refusal, agreements, or what a month or a year came to."""
    if isinstance(outcome, Refusal):
        print(outcome.message(Locale.EN), file=sys.stderr)
        return 1
    if isinstance(outcome, (list, CapitationAgreement)):
        for agreement in [outcome] if isinstance(outcome, CapitationAgreement) else outcome:
            rests = ", ".join(f"{month:%Y-%m}" for month in agreement.suspended_months)
            span = f"{agreement.effective_from:%Y-%m} to {agreement.ends:%Y-%m}"
            print(agreement.id, agreement.enrolment_id, span, f"rests in {rests}" if rests else "")
        return 0
    for name, value in vars(outcome).items():
        text = yuan_text(value) if name.endswith("_fen") else str(value)
        print(f"{name.removesuffix('_fen'):<12} {text:>14}")
    return 0


def _pay_later(options: argparse.Namespace, write: Run, read: Run, operator: str) -> int:
    if options.action == "show":
        for state in (PayLaterState.OWING, PayLaterState.OVERDUE, PayLaterState.DEFAULTED):
            for view in read(partial(credit.in_state, state=state)):
                _print(view)
        return 0
    agreement, value, book = options.agreement, options.value or "", rulebook()
    acts: dict[str, Callable[[Unit], Any]] = {
        "pay": lambda u: credit_service.pay(u, operator, agreement, parse_yuan(value)),
        "tell": lambda u: credit_service.tell_overdue(u, operator, agreement),
        "list": lambda u: credit_service.list_default(
            u, operator, agreement, credit.area_of(u, agreement), book
        ),
        "extend": lambda u: credit_service.extend(
            u, operator, agreement, int(value), credit.area_of(u, agreement), book
        ),
    }
    outcome = write(acts[options.action])
    if isinstance(outcome, PayLaterNotPossible):
        print(outcome.message(Locale.EN))
        return 1
    _print(outcome)
    return 0


def _print(view: PayLaterView) -> None:
    due = ", ".join(f"{part.due_on} {yuan_text(part.amount_fen)}" for part in view.instalments)
    print(f"{view.id} {view.state.value:<9} open {yuan_text(view.open_fen)} of {due}")
