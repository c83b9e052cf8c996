"""Who reported: written down under keys that nothing else uses, and read back by these functions alone.

The reporters' ring seals the rows of ``reporter`` and ``reward_payout`` and makes every index by which they
are found, so that whoever reads the database with all other keys can neither open nor join them.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

from sqlmodel import col, select

from backend.access.contracts import PersonActor
from backend.infra.database import Unit
from backend.infra.sealing import Vault
from backend.people import queries as people
from backend.reports.contracts import Whose
from backend.reports.handling_contracts import ReporterView
from backend.reports.model import Report, Reporter

_DRAWN_BYTES = 15


def vault(unit: Unit) -> Vault:
    """Return the vault of the reporters' keys."""
    return unit.resources.reporters


def drawn(unit: Unit) -> str:
    """Return an id, or a secret, that says nothing of when it was made: 24 letters and digits."""
    return base64.b32encode(unit.resources.ids.secret(_DRAWN_BYTES)).decode()


def request_index(unit: Unit, actor: object, request_id: str) -> str:
    """Return what stands for a request key, so that a repetition finds its first answer."""
    own = actor.person_id if isinstance(actor, PersonActor) else ""
    return vault(unit).index(f"{own}|{request_id}", "request")


def secret_index(unit: Unit, secret: str) -> str:
    """Return the index of a receipt's secret, as people type it."""
    tidy = secret.replace("-", "").replace(" ", "").upper()
    return vault(unit).index(tidy, "secret")


def report_index(unit: Unit, report_id: str) -> str:
    """Return the index by which the rows about a report are found."""
    return vault(unit).index(report_id, "report")


def outgoing_id(unit: Unit, report_id: str, notice_id: str) -> str:
    """Return by which id a gateway knows a notice to the reporter: the same at every try of one notice."""
    return f"yibao-{vault(unit).index(f'{report_id}|{notice_id}', 'notice')[:32]}"


def keep(unit: Unit, person_id: str, report_id: str) -> None:
    """Write down who reported, as they are now."""
    known = people.particulars(unit, person_id)
    facts = {
        "report_id": report_id,
        "person_id": person_id,
        **asdict(ReporterView(known.name, known.id_number, known.phone)),
    }
    index = report_index(unit, report_id)
    unit.db.add(
        Reporter(
            report_index=index,
            owner_index=vault(unit).index(person_id, "owner"),
            sealed=vault(unit).seal(json.dumps(facts, ensure_ascii=False), f"reporter:{index}"),
        )
    )
    unit.db.flush()


def reporter_of(unit: Unit, report_id: str) -> ReporterView | None:
    """Return who lodged a report, ``None`` where nobody was written down."""
    facts = _facts(unit, report_id)
    if facts is None:
        return None
    return ReporterView(facts["name"], facts["id_number"], facts["phone"])


def phone_of(unit: Unit, report_id: str) -> str:
    """Return the phone on which whoever lodged a report is reached now; empty: none."""
    facts = _facts(unit, report_id)
    return "" if facts is None else people.particulars(unit, facts["person_id"]).phone


def reports_of(unit: Unit, person_id: str) -> list[str]:
    """Return the ids of a person's own reports."""
    indexes = [vault(unit).index(one, "owner") for one in people.ids_of(unit, person_id)]
    rows = unit.db.exec(select(Reporter).where(col(Reporter.owner_index).in_(indexes))).all()
    return sorted(_opened(unit, row)["report_id"] for row in rows)


def own(unit: Unit, whose: Whose, lock: bool = True) -> Report | None:
    """Return a report, locked, to whoever shows that it is theirs; ``None`` to anybody else."""
    query = select(Report)
    if whose.secret:
        query = query.where(Report.secret_index == secret_index(unit, whose.secret))
    elif isinstance(whose.actor, PersonActor):
        if whose.report_id not in reports_of(unit, whose.actor.person_id):
            return None
        query = query.where(Report.id == whose.report_id)
    else:
        return None
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return unit.db.exec(query).first()


def _facts(unit: Unit, report_id: str) -> dict[str, str] | None:
    row = unit.db.get(Reporter, report_index(unit, report_id))
    return None if row is None else _opened(unit, row)


def _opened(unit: Unit, row: Reporter) -> dict[str, str]:
    facts: dict[str, str] = json.loads(vault(unit).open(row.sealed, f"reporter:{row.report_index}"))
    return facts
