"""What the database itself refuses, and what shows when somebody gets round it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.appointments.contracts import AppointmentEvent
from backend.catalogue.contracts import ItemKind, LocalItem
from backend.catalogue.service import match_items
from backend.claims.contracts import BookClaim, ClaimLine, ClaimView
from backend.claims.service import book_claim
from backend.codes.contracts import IssuedCode
from backend.desk import assigning
from backend.desk import service as desk
from backend.desk.contracts import DecideProposal, TakeMatter
from backend.entitlements.contracts import Pilot
from backend.entitlements.service import clear_month, clear_year
from backend.infra import audit
from backend.infra.database import Database, Unit
from backend.infra.sealing import SealBroken
from backend.kernel.money import parse_quantity, parse_unit_price
from backend.migrations.tables import APPEND_ONLY, METADATA
from backend.payments.contracts import MisuseView, ReportNotMe
from backend.payments.misuse import report_not_me
from backend.people.contracts import InsuranceType
from backend.prescriptions.contracts import PrescriptionState
from backend.ratings.contracts import RatingEvent, RatingReason
from backend.reports import handling, service
from backend.reports.contracts import AddEvidence, ReportView, SayOfReport
from backend.reports.handling_contracts import PublishFinding
from backend.rulebook.library import make_book, packs_in, shipped_packs
from backend.settlement.case import CareKind
from backend.supervision.service import examine_left
from tests.cases.test_cases import PACKS
from tests.databases import drop_database, new_database
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_appointments import book as reserve
from tests.usecases.test_appointments import clinic, receive
from tests.usecases.test_chronic import says, submitted
from tests.usecases.test_enrolment import hand_on, moving
from tests.usecases.test_filings import filed
from tests.usecases.test_orders import drive, pay
from tests.usecases.test_prescriptions import sign, void
from tests.usecases.test_ratings import rate, work
from tests.usecases.test_relatives import bound, code_for
from tests.usecases.test_reports import evidence_of, photo, proven, taken_in, whose
from tests.usecases.test_supervision import relayed_bill
from tests.usecases.test_tickets import opened
from tests.world import (
    IBUPROFEN,
    LEVEL_3,
    ManualClock,
    World,
    line,
    new_key,
    resources_for,
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def written(request: pytest.FixtureRequest, shared: Path, keys_file: Path) -> Iterator[World]:
    """A province in which every table has rows; what tries to change them is rolled back."""
    folder = Path(tempfile.mkdtemp(dir=shared))
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'written.sqlite3'}"
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "written.sqlite3")
    else:
        server, template = (request.getfixturevalue(n) for n in ("postgres", "postgres_template"))
        url = new_database(server, template)
    clock = ManualClock()
    database = Database(resources_for(url, keys_file, clock))
    world = World(database, clock)
    world.reverse(world.buy("worker", line(IBUPROFEN)).id)
    _fill_what_no_purchase_writes(world)
    filed(world)
    yield world
    database.close()
    shutil.rmtree(folder)
    if request.param == "postgresql":
        drop_database(server, url)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_what_was_written_stays(written: World, table: str, verb: str) -> None:
    world = written
    column = METADATA.tables[table].columns.keys()[-1]
    statement = (
        f"DELETE FROM {table}" if verb == "DELETE" else f"UPDATE {table} SET {column} = {column}"
    )
    before = world.money()
    with pytest.raises(DBAPIError, match="append-only"):
        world.database.write(lambda u: u.db.connection().execute(text(statement)))
    assert world.money() == before


def _fill_what_no_purchase_writes(world: World) -> None:
    """Decide a local item, book a claim, clear a month and a year where nobody has signed."""
    packs = {
        **shipped_packs(),
        "capitation": next(p for p in packs_in(PACKS).values() if p["topic"] == "capitation"),
    }
    packs["capitation"]["region"] = "510100"
    book = make_book(packs)
    pilot = Pilot(world.terminal(LEVEL_3).institution_id, "510100", InsuranceType.EMPLOYEE)
    item = LocalItem("A1", ItemKind.DRUG, "阿莫西林胶囊", "", "0.25g×24粒", "", "")
    fee = ClaimLine("", "陪护费", ItemKind.TREATMENT, parse_quantity("1"), parse_unit_price("9"))
    day = date(2026, 5, 1)
    claim = BookClaim(
        person_id=world.person("worker"),
        enrolment_id=None,
        institution_code=LEVEL_3,
        care=CareKind.OUTPATIENT,
        first=day,
        last=day,
        disease="",
        emergency=False,
        invoices=("51010026A0000001",),
        lines=(fee,),
    )

    def fill(unit: Unit) -> None:
        match_items(unit, "test", pilot.institution_id, [item])
        assert isinstance(book_claim(unit, claim, "test"), ClaimView)
        clear_month(unit, "test", pilot, day, lambda *_: False, book)
        clear_year(unit, "test", pilot, 2025, Fraction(0), book)

    world.database.write(fill)
    settled = world.buy("worker_2", line(IBUPROFEN))
    not_me = ReportNotMe(world.actor("worker_2"), settled.id, "", new_key())
    assert isinstance(world.do(report_not_me, not_me), MisuseView)
    says(world, "HX2001", submitted(world, "worker_3").id)
    world.do(assigning.take, TakeMatter(world.staff("CD1001"), submitted(world, "worker_5").id))
    opened(world, "worker_4")
    proposal = hand_on(world, moving(world).matter.id)
    world.do(desk.confirm, DecideProposal(world.staff("CD1003"), proposal.id))
    work(world, rate(world, 1, RatingReason.WAITING, who="worker_7"), RatingEvent.ANSWER)
    assert void(world, sign(world, "worker_9")).state is PrescriptionState.VOIDED
    reported = taken_in(world)
    world.do(service.add_evidence, AddEvidence(whose(reported), evidence_of(photo())))
    world.do(service.say_of_report, SayOfReport(whose(reported), "x", False))
    proven(world, reported)
    summary = PublishFinding(world.staff("CD1003"), reported.report_id, "x")
    assert isinstance(world.do(handling.publish, summary), ReportView)
    receive(world, reserve(world, clinic(world).id, "worker_8"), AppointmentEvent.ARRIVE)
    relayed_bill(world, "worker_4")
    assert examine_left(world.database)
    drive(world, ScriptedChannel(world.clock), pay(world, "worker_6").id)
    bound(world, "worker", "retiree")
    assert isinstance(code_for(world, "worker", "retiree"), IssuedCode)


def _without_guard(world: World, table: str, statement: str) -> None:
    """Do what a thief with the database's own password could do."""
    if world.database.engine.dialect.name == "sqlite":
        disarm = [f"DROP TRIGGER {table}_no_update", f"DROP TRIGGER {table}_no_delete"]
    else:
        disarm = [f"ALTER TABLE {table} DISABLE TRIGGER USER"]

    def act(unit: object) -> None:
        for each in (*disarm, statement):
            unit.db.connection().execute(text(each))  # type: ignore[attr-defined]

    world.database.write(act)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE audit_line SET facts = '{}' WHERE action = 'settlement.book'", "changed"),
        ("DELETE FROM audit_line WHERE action = 'settlement.book'", "cut off|missing"),
        ("DELETE FROM audit_line WHERE action = 'code.issue'", "missing|changed"),
    ],
)
def test_the_audit_chain_shows_it(world: World, statement: str, reason: str) -> None:
    world.buy("worker", line(IBUPROFEN))
    assert world.database.read(audit.verify) == []
    _without_guard(world, "audit_line", statement)
    faults = world.database.read(audit.verify)
    assert faults
    assert any(part in fault.reason for fault in faults for part in reason.split("|"))


def test_the_ledger_shows_it(world: World) -> None:
    world.buy("worker", line(IBUPROFEN))
    assert world.faults() == []
    thief = "UPDATE ledger_posting SET amount_fen = amount_fen - 1 WHERE account LIKE 'personal:%'"
    _without_guard(world, "ledger_posting", thief)
    assert world.faults()


def test_a_changed_settlement_does_not_recompute(world: World) -> None:
    settled = world.buy("worker", line(IBUPROFEN, "1", "300.00"))
    richer = "UPDATE settlement SET outcome = replace(outcome, '_fen\"\\:5000', '_fen\"\\:5001')"
    _without_guard(world, "settlement", richer)
    assert [fault.place for fault in world.faults()] == [settled.id]


def test_a_sealed_value_opens_only_where_it_belongs(world: World) -> None:
    one, two = world.person("worker"), world.person("retiree")
    move = (
        f"UPDATE person SET particulars = (SELECT particulars FROM person WHERE id = '{one}') "
        f"WHERE id = '{two}'"
    )
    world.database.write(lambda u: u.db.connection().execute(text(move)))
    with pytest.raises(SealBroken):
        world.scan("retiree")
    vault = world.database.resources.vault
    sealed = vault.seal("secret", "here")
    assert vault.open(sealed, "here") == "secret"
    for broken in (sealed[:-4] + "AAA=", "m0." + sealed.split(".")[1], "", "x"):
        with pytest.raises(SealBroken):
            vault.open(broken, "here")
