"""What inspectors do about reports of their regions, and what nobody does alone."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime, timedelta

from sqlmodel import col, select

from backend.access.contracts import Role, SignInRequired, StaffActor
from backend.access.logic import label, prefix_of, regions_of, serves
from backend.infra import audit
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.kernel.calendar import add_months, local_day
from backend.kernel.errors import Refusal
from backend.kernel.money import Fen
from backend.reports import identities, logic, queries, rules
from backend.reports.contracts import (
    MessageBy,
    ReportEvent,
    ReportNotFound,
    ReportState,
    ReportView,
    ReportWordsMissing,
    RewardEvent,
    RewardState,
)
from backend.reports.handling_contracts import (
    UNMASK_STATES,
    AskReporter,
    AskUnmasking,
    ClawBack,
    DecideUnmasking,
    NotePayout,
    PayoutNotFound,
    PayoutView,
    PublishFinding,
    ReadReporter,
    ReporterView,
    UnmaskEvent,
    UnmaskingNotPossible,
    UnmaskingView,
    UnmaskState,
    WorkReport,
)
from backend.reports.model import (
    PublishedReport,
    Report,
    ReportEvidence,
    RewardPayout,
    Unmasking,
)
from backend.reports.steps import can, locked, move, move_reward, owe_notice, say

_BY_ANOTHER = (ReportEvent.CONFIRM_TRUE, ReportEvent.CONFIRM_NOT_TRUE)
_OF_PROVINCE = (ReportEvent.UPHOLD, ReportEvent.OVERTURN)
_DECIDES = (ReportEvent.DECLINE, *_BY_ANOTHER)
_GRANT_LASTS = timedelta(hours=24)
_log = logging.getLogger("yibao.reports")
VALUE_MAX_FEN = 100_000_000_000


def waiting(unit: Unit, actor: StaffActor, limit: int) -> list[ReportView]:
    """Return what waits for an inspector."""
    regions = regions_of(actor.duties, Role.INSPECTOR)
    return queries.waiting(unit, actor.number, regions, limit)


def report(unit: Unit, actor: StaffActor, report_id: str) -> ReportView | None:
    """Return a report to an inspector of its region, and write down that they looked."""
    row = _mine(unit, actor, report_id)
    if isinstance(row, Refusal):
        return None
    audit.record(unit, label(actor), "report.read", f"report:{row.id}", {})
    return queries.views(unit, [row])[0]


def evidence(unit: Unit, actor: object, evidence_id: str) -> tuple[str, str, bytes] | None:
    """Return name, kind and content of a file to an inspector of its report's region."""
    kept = unit.db.get(ReportEvidence, evidence_id)
    if kept is None or not isinstance(actor, StaffActor):
        return None
    row = _mine(unit, actor, kept.report_id)
    if isinstance(row, Refusal):
        return None
    facts = {"evidence": kept.id}
    audit.record(unit, label(actor), "report.evidence", f"report:{row.id}", facts)
    content = unit.vault.open_bytes(kept.content, f"report:{row.id}")
    return kept.name, kept.content_type, content


def work(unit: Unit, command: WorkReport) -> ReportView | Refusal:
    """Move a report. A finding counts once another inspector has confirmed it."""
    row = _mine(unit, command.actor, command.report_id, command.event in _OF_PROVINCE)
    if isinstance(row, Refusal):
        return row
    actor = command.actor
    if not isinstance(actor, StaffActor):
        return SignInRequired()
    fits = command.event in logic.OF_INSPECTOR and can(row, command.event)
    if not fits or not _may_decide(row, actor.number, command):
        return ReportNotFound()
    if not logic.says(command.words):
        return ReportWordsMissing()
    refusal = _effect(unit, row, actor.number, command)
    if refusal is not None:
        return refusal
    if command.event in _DECIDES:
        row.handlers = ",".join(filter(None, (row.handlers, actor.number)))
    move(unit, row, command.event, label(actor), command.words)
    return queries.views(unit, [row])[0]


def ask(unit: Unit, command: AskReporter) -> ReportView | Refusal:
    """Ask whoever reported; they are told that something waits for them."""
    row = _mine(unit, command.actor, command.report_id)
    if isinstance(row, Refusal):
        return row
    if row.state in logic.CLOSED:
        return ReportNotFound()
    if not logic.says(command.words):
        return ReportWordsMissing()
    say(unit, row, MessageBy.HANDLER, label(command.actor), command.words)
    owe_notice(unit, row)
    unit.db.flush()
    audit.record(unit, label(command.actor), "report.ask", f"report:{row.id}", {})
    return queries.views(unit, [row])[0]


def publish(unit: Unit, command: PublishFinding) -> ReportView | Refusal:
    """Publish a proven case by month, in a supervisor's words; nothing leads back to its report."""
    found = locked(unit, command.report_id)
    refusal = serves(command.actor, Role.SUPERVISOR, (found.region if found else "",))
    if refusal is not None:
        return refusal
    if found is None or found.state != ReportState.TRUE or found.published:
        return ReportNotFound()
    if not logic.says(command.summary):
        return ReportWordsMissing()
    place = found.institution_id
    name = "" if place is None else institutions.institution(unit, place).name
    unit.db.add(
        PublishedReport(
            id=identities.drawn(unit),
            region=found.region,
            institution=name,
            kind=found.kind,
            value_fen=found.value_fen,
            summary=command.summary.strip(),
            month=f"{local_day(unit.now):%Y-%m}",
            published_by=label(command.actor),
        )
    )
    found.published = True
    unit.db.flush()
    audit.record(unit, label(command.actor), "report.publish", f"report:{found.id}", {})
    return queries.views(unit, [found])[0]


def ask_unmasking(unit: Unit, command: AskUnmasking) -> UnmaskingView | Refusal:
    """Ask to learn who reported."""
    row = _mine(unit, command.actor, command.report_id)
    if isinstance(row, Refusal):
        return row
    if not row.real_name:
        return UnmaskingNotPossible()
    if not logic.says(command.reason):
        return ReportWordsMissing()
    made = Unmasking(
        id=identities.drawn(unit),
        report_id=row.id,
        state=UnmaskState.ASKED,
        asked_by=label(command.actor),
        reason=unit.vault.seal(command.reason.strip(), f"report:{row.id}"),
        asked_at=unit.now,
    )
    unit.db.add(made)
    unit.db.flush()
    facts = {"unmasking": made.id}
    audit.record(unit, made.asked_by, "report.ask_unmasking", f"report:{row.id}", facts)
    return _unmasking(unit, made)


def decide_unmasking(unit: Unit, command: DecideUnmasking) -> UnmaskingView | Refusal:
    """Grant or refuse it: a supervisor of the province who did not ask. The reporter is told."""
    refusal = serves(command.actor, Role.SUPERVISOR, (unit.settings.region,))
    if refusal is not None:
        return refusal
    found = unit.db.exec(
        select(Unmasking).where(Unmasking.id == command.unmasking_id).with_for_update()
    ).first()
    by = label(command.actor)
    row = None if found is None else locked(unit, found.report_id)
    kept = isinstance(command.actor, StaffActor) and row and row.kept_from == command.actor.number
    event = UnmaskEvent.GRANT if command.grant else UnmaskEvent.REFUSE
    after = None if found is None else UNMASK_STATES.after(UnmaskState(found.state), event)
    if found is None or row is None or after is None or kept or found.asked_by == by:
        return UnmaskingNotPossible()
    if not logic.says(command.words):
        return ReportWordsMissing()
    found.state, found.decided_by, found.decided_at = after, by, unit.now
    found.words = unit.vault.seal(command.words.strip(), f"report:{row.id}")
    if command.grant:
        told = "您的身份经两人审批后由办案人员调阅，已留痕。"
        say(unit, row, MessageBy.HANDLER, "system", told)
        owe_notice(unit, row)
    unit.db.flush()
    facts = {"unmasking": found.id}
    audit.record(unit, by, f"report.unmask_{event.lower()}", f"report:{row.id}", facts)
    return _unmasking(unit, found)


def read_reporter(unit: Unit, command: ReadReporter) -> ReporterView | Refusal:
    """Show who reported to whoever asked and was granted it, within a day; each look is written down."""
    if not isinstance(command.actor, StaffActor):
        return SignInRequired()
    found = unit.db.get(Unmasking, command.unmasking_id)
    by = label(command.actor)
    granted = found is not None and found.state == UnmaskState.GRANTED and found.asked_by == by
    if found is None or not granted or _runs_out(found) is None:
        return UnmaskingNotPossible()
    row = _mine(unit, command.actor, found.report_id)
    until = _runs_out(found)
    if isinstance(row, Refusal) or until is None or unit.now >= until:
        return UnmaskingNotPossible()
    reporter = identities.reporter_of(unit, row.id)
    if reporter is None:
        return UnmaskingNotPossible()
    facts = {"unmasking": found.id}
    audit.record(unit, by, "report.read_reporter", f"report:{row.id}", facts)
    return reporter


def unmaskings(unit: Unit, actor: StaffActor, limit: int) -> list[UnmaskingView]:
    """Return requests that a supervisor of the province has to decide, and one's own."""
    mine = Unmasking.asked_by == label(actor)
    if any(is_all(unit, region) for region in regions_of(actor.duties, Role.SUPERVISOR)):
        mine = mine | (Unmasking.state == UnmaskState.ASKED)
    rows = unit.db.exec(
        select(Unmasking).where(mine).order_by(col(Unmasking.asked_at).desc()).limit(limit)
    ).all()
    return [_unmasking(unit, row) for row in rows]


def payouts(unit: Unit, actor: StaffActor, limit: int) -> list[PayoutView]:
    """Return rewards that a checker of their region has to pay, the longest waiting first."""
    regions = regions_of(actor.duties, Role.CHECKER)
    rows = unit.db.exec(
        select(RewardPayout)
        .where(col(RewardPayout.paid_on).is_(None))
        .order_by(col(RewardPayout.claimed_on), col(RewardPayout.id))
    ).all()
    own = [row for row in rows if any(row.region.startswith(prefix_of(one)) for one in regions)]
    shown = [_payout(unit, row) for row in own[:limit]]
    if shown:
        facts = {"payouts": len(shown)}
        audit.record(unit, label(actor), "reward.read_accounts", f"region:{regions[0]}", facts)
    return shown


def note_payout(unit: Unit, command: NotePayout) -> PayoutView | Refusal:
    """Note that a reward was paid."""
    found = unit.db.exec(
        select(RewardPayout).where(RewardPayout.id == command.payout_id).with_for_update()
    ).first()
    refusal = serves(command.actor, Role.CHECKER, (found.region if found else "",))
    if refusal is not None:
        return refusal
    if found is None or found.paid_on is not None:
        return PayoutNotFound()
    if not logic.says(command.voucher):
        return ReportWordsMissing()
    row = locked(unit, _account(unit, found)["report_id"])
    if row is None or row.reward != RewardState.CLAIMED:
        return PayoutNotFound()
    found.paid_on, found.paid_by = local_day(unit.now), label(command.actor)
    found.voucher = command.voucher.strip()
    move_reward(row, RewardEvent.PAY)
    owe_notice(unit, row)
    unit.db.flush()
    facts = {"payout": found.id, "amount_fen": found.amount_fen}
    audit.record(unit, found.paid_by, "reward.pay", f"payout:{found.id}", facts)
    return _payout(unit, found)


def claw_back(unit: Unit, command: ClawBack) -> ReportView | Refusal:
    """Take a reward back that was got by forged material: a supervisor's act, told to the reporter."""
    row = locked(unit, command.report_id)
    refusal = serves(command.actor, Role.SUPERVISOR, (row.region if row else "",))
    if refusal is not None:
        return refusal
    if row is None or row.reward != RewardState.PAID:
        return ReportNotFound()
    if not logic.says(command.words):
        return ReportWordsMissing()
    move_reward(row, RewardEvent.CLAW_BACK)
    say(unit, row, MessageBy.HANDLER, label(command.actor), command.words)
    owe_notice(unit, row)
    unit.db.flush()
    audit.record(unit, label(command.actor), "reward.claw_back", f"report:{row.id}", {})
    return queries.views(unit, [row])[0]


def take_in(unit: Unit) -> int:
    """Take in, together, what was lodged since the last time; return how many that was."""
    lodged = unit.db.exec(
        select(Report.id).where(Report.state == ReportState.LODGED).order_by(col(Report.id))
    ).all()
    # one transaction, so that no line of the audit tells when which of them was lodged
    return sum(_take_in(unit, report_id) for report_id in lodged)


def _take_in(unit: Unit, report_id: str) -> bool:
    """Take a report in; one that fails is left to the next time and keeps no other from being taken in."""
    try:
        with unit.db.begin_nested():
            row = locked(unit, report_id)
            if row is None or row.state != ReportState.LODGED:
                return False
            move(unit, row, ReportEvent.TAKE_IN, "system")
    except Exception:
        _log.exception("a report could not be taken in; it is tried again the next time")
        return False
    return True


def is_all(unit: Unit, region: str) -> bool:
    """Tell whether a region is the whole province."""
    return region == unit.settings.region


def _mine(unit: Unit, actor: object, report_id: str, of_province: bool = False) -> Report | Refusal:
    """Return a report, locked, to an inspector who may handle it, else why not."""
    if not isinstance(actor, StaffActor):
        return SignInRequired()
    row = locked(unit, report_id)
    if row is None or row.state in (ReportState.LODGED, ReportState.WITHDRAWN):
        held = regions_of(actor.duties, Role.INSPECTOR)
        return ReportNotFound() if held else _no_inspector(actor)
    region = unit.settings.region if of_province else row.region
    refusal = serves(actor, Role.INSPECTOR, (region,))
    if refusal is not None:
        return refusal
    return ReportNotFound() if row.kept_from == actor.number else row


def _no_inspector(actor: StaffActor) -> Refusal:
    return serves(actor, Role.INSPECTOR, ("",)) or ReportNotFound()


def _may_decide(row: Report, number: str, command: WorkReport) -> bool:
    if command.event in _BY_ANOTHER:
        agrees = row.found_true is (command.event is ReportEvent.CONFIRM_TRUE)
        return agrees and number != row.found_by
    if command.event in _OF_PROVINCE:
        return number not in row.handlers.split(",")
    return True


def _effect(unit: Unit, row: Report, number: str, command: WorkReport) -> Refusal | None:
    today = local_day(unit.now)
    match command.event:
        case ReportEvent.TRANSFER:
            home = unit.settings.region[:2]
            if not (command.region.startswith(home) and len(command.region) == len(home) + 4):
                return ReportNotFound()
            row.region = command.region
        case ReportEvent.OPEN | ReportEvent.OVERTURN:
            row.opened_on, row.extended = today, 0
            row.due_on = rules.handle_by(row.region, today)
        case ReportEvent.EXTEND:
            if row.extended >= logic.EXTENSIONS_MAX:
                return ReportNotFound()
            row.extended += 1
            row.due_on = _extended(row, today)
        case ReportEvent.FIND:
            if command.true and not 0 <= command.value_fen <= VALUE_MAX_FEN:
                return ReportNotFound()
            row.found_true, row.found_by = command.true, number
            row.value_fen = command.value_fen if command.true else Fen(0)
        case ReportEvent.CONFIRM_TRUE:
            row.due_on = None
            _offer(row, today)
        case ReportEvent.DECLINE | ReportEvent.CONFIRM_NOT_TRUE | ReportEvent.UPHOLD:
            row.due_on = None
            if row.reward == RewardState.WANTED:
                move_reward(row, RewardEvent.DENY)
        case _:
            pass
    return None


def _extended(row: Report, today: date) -> date:
    months = [
        rules.rule(row.region, name, today).count
        for name in ("first_extension_months", "last_extension_months")
    ]
    return logic.extended_to(row.opened_on or today, row.extended, months[0], months[1])


def _offer(row: Report, today: date) -> None:
    """Offer the reward by the brackets of the day, or say that none is due."""
    if row.reward not in (RewardState.WANTED, RewardState.NONE):
        return
    if row.value_fen <= 0:
        if row.reward == RewardState.WANTED:
            move_reward(row, RewardEvent.DENY)
        return
    row.reward_fen = rules.reward_for(row.region, Fen(row.value_fen), today)
    months = rules.rule(row.region, "claim_months", today).count
    row.reward_by = add_months(today, months)
    move_reward(row, RewardEvent.OFFER)


def _runs_out(row: Unmasking) -> datetime | None:
    return None if row.decided_at is None else row.decided_at + _GRANT_LASTS


def _unmasking(unit: Unit, row: Unmasking) -> UnmaskingView:
    report_row = unit.db.get_one(Report, row.report_id)
    granted = row.state == UnmaskState.GRANTED
    return UnmaskingView(
        id=row.id,
        report_id=row.report_id,
        number=report_row.number,
        state=UnmaskState(row.state),
        asked_by=row.asked_by,
        reason=unit.vault.open(row.reason, f"report:{row.report_id}"),
        decided_by=row.decided_by,
        asked_at=row.asked_at,
        until=_runs_out(row) if granted else None,
    )


def _account(unit: Unit, row: RewardPayout) -> dict[str, str]:
    text = identities.vault(unit).open(row.sealed, f"payout:{row.report_index}")
    facts: dict[str, str] = json.loads(text)
    return facts


def _payout(unit: Unit, row: RewardPayout) -> PayoutView:
    facts = _account(unit, row)
    return PayoutView(
        row.id,
        row.region,
        Fen(row.amount_fen),
        facts["holder"],
        facts["bank"],
        facts["number"],
        row.claimed_on,
        row.voucher,
    )
