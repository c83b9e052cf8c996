"""What whoever reports may do: lodge, add, ask, appeal, withdraw, and claim the reward."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select
from sqlmodel import col, select

from backend.access.contracts import Anonymous, PersonActor, SignInRequired
from backend.infra import rates
from backend.infra.columns import canonical_json
from backend.infra.database import Database, Unit
from backend.infra.idempotency import KEY_LENGTH_MAX, RequestKeyInvalid
from backend.infra.journal import read_content
from backend.infra.queue import Due, Ending, advance, never
from backend.institutions import queries as institutions
from backend.kernel.calendar import SHANGHAI, local_day
from backend.kernel.errors import Refusal
from backend.matters.material_contracts import MaterialFault, MaterialFile, MaterialUnfit
from backend.matters.materials import read_file
from backend.reports import identities, logic, queries, rules
from backend.reports.contracts import (
    AddEvidence,
    ChangeReport,
    ClaimReward,
    EvidenceProblem,
    EvidenceUnfit,
    EvidenceView,
    LodgeReport,
    MessageBy,
    PayoutInvalid,
    ReportEvent,
    ReportKind,
    ReportNotFound,
    ReportNotPossible,
    ReportProblem,
    ReportReceipt,
    ReportState,
    ReportView,
    ReportWordsMissing,
    RewardEvent,
    RewardState,
    SayOfReport,
    TooManyReports,
    Whose,
)
from backend.reports.model import Report, ReportEvidence, RewardPayout
from backend.reports.steps import REPORTER, can, locked, move, move_reward, say

_RECEIPT = TypeAdapter(ReportReceipt)
_DAY = 86_400
_FILES_MAX = 20
_OPEN_MAX = 20
_PROBLEMS = {
    MaterialFault.TOO_LARGE: EvidenceProblem.SIZE,
    MaterialFault.TOO_MANY_PIXELS: EvidenceProblem.PIXELS,
}
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


def lodge(unit: Unit, command: LodgeReport) -> ReportReceipt | Refusal:
    """Take a report in. Nothing that names who lodged it is written but under the reporters' keys.

    There is no line of the audit, no message, no record of the request and no hour: any of them would
    tell by itself, or laid beside a sign-in. The report is audited when it is taken in with others.
    """
    actor = command.actor
    if command.real_name and not isinstance(actor, PersonActor):
        return SignInRequired()
    key = command.request_id
    if not (1 <= len(key) <= KEY_LENGTH_MAX and key.isascii() and key.isprintable()):
        return RequestKeyInvalid(key[:KEY_LENGTH_MAX])
    index = identities.request_index(unit, actor if command.real_name else None, key)
    known = unit.db.exec(select(Report).where(Report.request_index == index)).first()
    if known is not None:
        return _receipt(unit, known)
    place = institutions.by_code(unit, command.institution_code.strip())
    problem = logic.problem_of(command, unit.settings.region[:2])
    if problem is None and command.institution_code.strip() and place is None:
        problem = ReportProblem.INSTITUTION
    region = place.division_code if place is not None else command.region
    if command.kind is ReportKind.AGENCY:
        region = unit.settings.region  # no agency looks into itself
    if problem is None and not region.startswith(unit.settings.region[:2]):
        problem = ReportProblem.REGION
    if problem is not None:
        return ReportNotPossible(problem)
    if _too_many(unit, command):
        return TooManyReports()
    return _lodged(unit, command, index, region, None if place is None else place.id)


def view_own(unit: Unit, whose: Whose) -> ReportView | ReportNotFound:
    """Return a report to whoever lodged it."""
    row = identities.own(unit, whose, lock=False)
    return ReportNotFound() if row is None else queries.views(unit, [row])[0]


def own_reports(unit: Unit, actor: PersonActor) -> list[ReportView]:
    """Return the reports that somebody lodged by name."""
    return queries.by_ids(unit, identities.reports_of(unit, actor.person_id))


def say_of_report(unit: Unit, command: SayOfReport) -> ReportView | Refusal:
    """Add words to a report, or say that one is threatened for it."""
    row = identities.own(unit, command.whose)
    if row is None:
        return ReportNotFound()
    if not logic.says(command.words):
        return ReportWordsMissing()
    say(unit, row, MessageBy.REPORTER, REPORTER, command.words, command.retaliation)
    return queries.views(unit, [row])[0]


def evidence_refusal(unit: Unit, whose: Whose) -> Refusal | None:
    """Return why no file at all can be added now; ``None`` where one can. Nothing is locked."""
    row = identities.own(unit, whose, lock=False)
    return ReportNotFound() if row is None else _full_or_closed(unit, row)


def read_evidence(data: bytes) -> MaterialFile | EvidenceUnfit:
    """Return what a file is, opened whole, or why it cannot be kept. Asks no database."""
    file = read_file(data)
    if isinstance(file, MaterialUnfit):
        return EvidenceUnfit(_PROBLEMS.get(file.reason, EvidenceProblem.TYPE))
    return file


def add_evidence(unit: Unit, command: AddEvidence) -> EvidenceView | Refusal:
    """Keep a file, sealed. A picture loses what its camera wrote into it: place, device and owner."""
    row = identities.own(unit, command.whose)
    if row is None:
        return ReportNotFound()
    refusal = _full_or_closed(unit, row)
    if refusal is not None:
        return refusal
    content, kind = command.file.bare, command.file.content_type
    number = queries.evidence_count(unit, row.id) + 1
    kept = ReportEvidence(
        id=identities.drawn(unit),
        report_id=row.id,
        name=f"evidence-{number}.{_SUFFIX[kind]}",  # a file's own name may name its owner
        content_type=kind,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        added_on=local_day(unit.now),
        content=unit.vault.seal_bytes(content, f"report:{row.id}"),
    )
    unit.db.add(kept)
    unit.db.flush()
    return queries.evidence_view(kept)


def appeal(unit: Unit, command: ChangeReport) -> ReportView | Refusal:
    """Ask for another look, once: whoever decided has no part in it."""
    row = identities.own(unit, command.whose)
    if row is None or row.appealed or not can(row, ReportEvent.APPEAL):
        return ReportNotFound()
    if not logic.says(command.words):
        return ReportWordsMissing()
    row.appealed = True
    row.due_on = rules.handle_by(row.region, local_day(unit.now))
    move(unit, row, ReportEvent.APPEAL, REPORTER, command.words)
    return queries.views(unit, [row])[0]


def withdraw(unit: Unit, command: ChangeReport) -> ReportView | Refusal:
    """Take a report back that nobody has taken up."""
    row = identities.own(unit, command.whose)
    if row is None or not can(row, ReportEvent.WITHDRAW):
        return ReportNotFound()
    row.due_on = None
    if row.reward == RewardState.WANTED:
        move_reward(row, RewardEvent.DENY)
    move(unit, row, ReportEvent.WITHDRAW, REPORTER, command.words)
    return queries.views(unit, [row])[0]


def claim_reward(unit: Unit, command: ClaimReward) -> ReportView | Refusal:
    """Say where the reward goes to; who pays it out learns the account and not the report."""
    row = identities.own(unit, command.whose)
    if row is None or row.reward != RewardState.OFFERED or _is_late(unit, row):
        return ReportNotFound()
    if not logic.is_account(command.holder, command.bank, command.number):
        return PayoutInvalid()
    index = identities.report_index(unit, row.id)
    account = {
        "report_id": row.id,
        "holder": command.holder.strip(),
        "bank": command.bank.strip(),
        "number": command.number.strip(),
    }
    unit.db.add(
        RewardPayout(
            id=identities.drawn(unit),
            report_index=index,
            region=row.region,
            amount_fen=row.reward_fen,
            sealed=identities.vault(unit).seal(
                json.dumps(account, ensure_ascii=False), f"payout:{index}"
            ),
            claimed_on=local_day(unit.now),
        )
    )
    move_reward(row, RewardEvent.CLAIM)
    unit.db.flush()
    return queries.views(unit, [row])[0]


def waive_reward(unit: Unit, command: ChangeReport) -> ReportView | Refusal:
    """Do without the reward."""
    row = identities.own(unit, command.whose)
    if row is None or row.reward != RewardState.OFFERED:
        return ReportNotFound()
    move_reward(row, RewardEvent.WAIVE)
    unit.db.flush()
    return queries.views(unit, [row])[0]


def _lodged(
    unit: Unit, command: LodgeReport, index: str, region: str, institution_id: str | None
) -> ReportReceipt:
    today, secret = local_day(unit.now), identities.drawn(unit)
    report_id, number = identities.drawn(unit), unit.resources.ids.digits(10)
    body = canonical_json(
        {
            "institution_code": command.institution_code.strip(),
            "target": command.target.strip(),
            "happened": command.happened.strip(),
            "facts": command.facts.strip(),
        }
    )
    due = rules.accept_by(region, today)
    receipt = ReportReceipt(
        report_id=report_id,
        number=f"JB{today:%Y%m}{number}",
        secret="-".join(secret[at : at + 6] for at in range(0, len(secret), 6)),
        received_on=today,
        accept_by=due,
        digest=hashlib.sha256(body.encode()).hexdigest(),
    )
    wants = RewardState.WANTED if command.wants_reward else RewardState.NOT_WANTED
    row = Report(
        id=report_id,
        number=receipt.number,
        secret_index=identities.secret_index(unit, secret),
        request_index=index,
        receipt=identities.vault(unit).seal(
            _RECEIPT.dump_json(receipt).decode(), f"receipt:{report_id}"
        ),
        pseudonym=f"举报人{unit.resources.ids.digits(6)}",
        real_name=command.real_name,
        state=ReportState.LODGED,
        kind=command.kind,
        institution_id=institution_id,
        region=region,
        kept_from=command.staff_number.strip(),
        body=unit.vault.seal(body, f"report:{report_id}"),
        digest=receipt.digest,
        received_on=today,
        due_on=due,
        reward=wants,
    )
    unit.db.add(row)
    unit.db.flush()
    if command.real_name and isinstance(command.actor, PersonActor):
        identities.keep(unit, command.actor.person_id, report_id)
    return receipt


def _receipt(unit: Unit, row: Report) -> ReportReceipt:
    text = identities.vault(unit).open(row.receipt, f"receipt:{row.id}")
    return read_content(_RECEIPT, text)


def _too_many(unit: Unit, command: LodgeReport) -> bool:
    """Tell whether one person has too many open, or one address sent too many without a name today.

    What counts bears the day alone, under a keyed name.
    """
    actor = command.actor
    if command.real_name and isinstance(actor, PersonActor):
        held = own_reports(unit, actor)
        return sum(one.state not in logic.CLOSED for one in held) >= _OPEN_MAX
    address = actor.address if isinstance(actor, Anonymous | PersonActor) else ""
    place = rates.place_of(unit, address)
    midnight = datetime.combine(local_day(unit.now), time(), SHANGHAI)
    bucket = f"reports:{identities.vault(unit).index(f'{place}|{midnight}', 'address')}"
    limit = unit.settings.anonymous_reports_per_address_per_day
    return rates.hit(replace(unit, now=midnight), bucket, limit, _DAY) is not None


def _full_or_closed(unit: Unit, row: Report) -> EvidenceUnfit | None:
    if row.state in logic.CLOSED:
        return EvidenceUnfit(EvidenceProblem.CLOSED)
    full = queries.evidence_count(unit, row.id) >= _FILES_MAX
    return EvidenceUnfit(EvidenceProblem.TOO_MANY) if full else None


def _is_late(unit: Unit, row: Report) -> bool:
    return row.reward_by is not None and local_day(unit.now) > row.reward_by


def expire_rewards(database: Database, ending: Ending = never) -> int:
    """Let rewards go that no reporter claimed in time; return how many."""
    return advance(database, _UNCLAIMED, ending=ending)


def _unclaimed(unit: Unit) -> Select[Any]:
    today = local_day(unit.now)
    return select(Report.id).where(
        Report.reward == RewardState.OFFERED, col(Report.reward_by) < today
    )


def _expire_reward(unit: Unit, report_id: str) -> bool:
    row = locked(unit, report_id)
    if row is None or row.reward != RewardState.OFFERED or not _is_late(unit, row):
        return False
    move_reward(row, RewardEvent.EXPIRE)
    unit.db.flush()
    return True


_UNCLAIMED = Due(name="reward.expire", items=_unclaimed, act=_expire_reward)
