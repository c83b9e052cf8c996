"""Telling the national platform of filings, and taking its answer.

What is due is taken in one transaction, which puts off the next try, and answered in another; between the
two the platform is asked outside of any. An answer that was lost is asked for again: the platform knows
a filing by our id and takes it once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlmodel import col, select

from backend.filings.contracts import (
    FILING_STATES,
    AwayKind,
    FilingEvent,
    FilingState,
    UploadAnswered,
    UploadDue,
)
from backend.filings.model import Filing
from backend.filings.service import take_effect
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.queue import Ending, never
from backend.notices.service import tell
from backend.people import queries as people
from backend.people.contracts import InsuranceType

AT_ONCE = 20
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(minutes=10)
_log = logging.getLogger("yibao.filings")


def is_due(unit: Unit) -> bool:
    """Tell whether there is anything to tell the platform now."""
    query = select(Filing.id).where(Filing.operation != "", col(Filing.try_at) <= unit.now)
    return unit.db.exec(query.limit(1)).first() is not None


def upload_due(
    database: Database,
    upload: Callable[[UploadDue], UploadAnswered],
    ending: Ending = never,
) -> int:
    """Tell the platform of what is due now and return how much it was.

    Each is taken just before it is told, so that a platform that hangs lets no next try of another begin: the
    end of a filing never overtakes its beginning.
    """
    if not database.read(is_due):  # looking takes no writer's turn
        return 0
    for count in range(AT_ONCE):
        taken = [] if ending() else database.write(partial(take_due, limit=1))
        if not taken:
            return count
        for due in taken:
            _upload(database, due, upload)
    return AT_ONCE


def _upload(
    database: Database, due: UploadDue, upload: Callable[[UploadDue], UploadAnswered]
) -> None:
    try:
        answer = upload(due)
        database.write(partial(note_answer, answer=answer))
    except Exception:  # its next try is put off already
        _log.exception("filing %s could not be uploaded; it is tried again later", due.filing_id)


def take_due(unit: Unit, limit: int = AT_ONCE) -> list[UploadDue]:
    """Return what the platform is to be told now, and put the next try of each off."""
    rows = unit.db.exec(
        select(Filing)
        .where(Filing.operation != "", col(Filing.try_at) <= unit.now)
        .order_by(col(Filing.try_at), col(Filing.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    due = []
    for row in rows:
        row.try_at = unit.now + min(_FIRST_WAIT * 2 ** min(row.attempts, 10), _LONGEST_WAIT)
        row.attempts += 1
        due.append(UploadDue(row.id, row.operation, _body(unit, row)))
    unit.db.flush()
    return due


def note_answer(unit: Unit, answer: UploadAnswered) -> bool:
    """Store what the platform said; tell whether it changed anything. The same answer twice is one."""
    row = unit.db.get(Filing, answer.filing_id, with_for_update=True)
    if row is None or row.operation != answer.operation:
        return False  # it was cancelled, or answered, meanwhile
    if answer.taken is True:
        if row.operation == "FILE":
            take_effect(unit, row)
        else:
            row.operation, row.try_at, row.failure = "", None, ""
            unit.db.flush()
        return True
    row.failure = answer.words[:200]
    after = FILING_STATES.after(FilingState(row.state), FilingEvent.FAIL)
    failed_first = row.state == FilingState.APPROVED and after is not None
    if row.operation == "FILE" and after is not None:
        row.state = after
    unit.db.flush()
    facts = {"filing": row.id, "attempts": row.attempts, "words": row.failure}
    audit.record(unit, "system", "filing.upload_failed", f"enrolment:{row.enrolment_id}", facts)
    if failed_first:
        tell(unit, people.person_of_enrolment(unit, row.enrolment_id), "filing_upload_failed", {})
    return True


def retry_now(unit: Unit, filing_id: str) -> bool:
    """Let a failed upload be tried at once; tell whether there was one."""
    row = unit.db.get(Filing, filing_id, with_for_update=True)
    if row is None or row.operation == "":
        return False
    row.try_at = unit.now  # the tries stay counted: they tell that the platform may know of it
    unit.db.flush()
    return True


def _body(unit: Unit, row: Filing) -> dict[str, str]:
    """Return what the platform is told, under the national dictionary's field names."""
    person_id = people.person_of_enrolment(unit, row.enrolment_id)
    known = people.particulars(unit, person_id)
    document = people.main_document(unit, person_id)
    area, insurance = people.scheme_of(unit, row.enrolment_id)
    return {
        "out_fil_id": row.id,
        "oprt": row.operation,
        "psn_name": known.name,
        "psn_cert_type": "01" if document.kind.is_master_index else "99",
        "certno": document.number,
        "insutype": InsuranceType(insurance).national_code,
        "insuplc_admdvs": area,
        "mdtrtarea_admdvs": row.area_code,
        "rloc_type": row.away_kind or AwayKind.OTHER.value,
        "begndate": row.starts.isoformat(),
        "enddate": "" if row.ends is None else row.ends.isoformat(),
    }
