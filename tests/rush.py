"""``make rush``: 5,000 people want one of 100 seats in the same moment, over HTTP, on both databases.

Each has signed in beforehand. All ask for the same clinic as soon as it opens, through two workers; then
the database is asked who has what. It fails unless exactly 100 seats are sold, each once.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from datetime import time as wall
from functools import partial

from rich.console import Console
from rich.table import Table as Grid
from sqlmodel import col, func, select

from backend.access.contracts import TerminalActor
from backend.appointments import clinics
from backend.appointments.clinic_contracts import (
    BookingRules,
    CancelRule,
    ClinicKind,
    ClinicPlan,
    ClinicsPublished,
    OnePer,
    PublishClinics,
    SeatBlock,
    SetRules,
)
from backend.appointments.model import Appointment, ClinicSeat
from backend.identity import service as identity
from backend.identity.safety_contracts import Proof
from backend.infra.database import Database, Unit
from backend.infra.settings import Settings
from backend.institutions.model import Institution, Terminal
from backend.kernel.calendar import local_day
from backend.kernel.money import Fen
from backend.people.contracts import Particulars, PersonView, RegisterPerson
from backend.people.service import register_person
from backend.sample_data.clinics import HOSPITAL
from backend.sample_data.people import sample_id_number
from mobile_bff.client import Client
from mobile_bff.processes import ended_by_signals, seed, server
from mobile_bff.start import open_resources
from tests.databases import new_database, postgres_server
from tests.world import new_key

PEOPLE = 5000
SEATS = 100
CALLERS = 64
"""Threads that ask, each for one person after another, as fast as they are answered."""
WORKERS = 2


def main() -> None:
    """Rush on SQLite and on PostgreSQL."""
    title = f"{PEOPLE} people, {SEATS} seats, {CALLERS} callers, {WORKERS} workers"
    table = Grid(title=title)
    for heading in ("database", "answers", "seconds", "per second", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="left" if heading in ("database", "answers") else "right")
    with ended_by_signals(), _databases() as urls:
        for name, url in urls:
            table.add_row(name, *_rush_filled(url))
    Console().print(table)


@contextmanager
def _databases() -> Iterator[list[tuple[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, postgres_server() as postgres:
        yield [
            ("SQLite", f"sqlite:///{folder}/rush.sqlite3"),
            ("PostgreSQL", new_database(postgres)),
        ]


def _rush_filled(url: str) -> tuple[str, str, str, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {"YIBAO_DATABASE_URL": url, "YIBAO_DATA_DIR": folder}
        seed(environment)
        said, took, seconds = rush(environment)
    ordered = sorted(took)
    return (
        ", ".join(f"{kind} {count}" for kind, count in said.most_common()),
        f"{seconds:.1f}",
        f"{len(took) / seconds:.0f}",
        f"{statistics.median(ordered) * 1000:.0f}",
        f"{ordered[int(len(ordered) * 0.99)] * 1000:.0f}",
    )


def rush(
    environment: dict[str, str], people: int = PEOPLE, seats: int = SEATS, callers: int = CALLERS
) -> tuple[Counter[str], list[float], float]:
    """Return what the people were told, how long each took, and all together.

    Requires: the database holds the sample province. Fails unless every seat is sold, each once.
    """
    unlimited = {**environment, "YIBAO_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000000"}
    database = Database(open_resources(Settings.from_environment(unlimited)))
    clinic_id = database.write(partial(_clinic, seats=seats))
    tokens = _tokens(database, people)
    with server(unlimited, workers=WORKERS) as address:
        said, took, seconds = _ask(address, clinic_id, tokens, callers)
    _check(database, clinic_id, said, people=people, seats=seats)
    database.close()
    return said, took, seconds


def _clinic(unit: Unit, seats: int) -> str:
    terminal = unit.db.exec(
        select(Terminal).join(Institution).where(Institution.code == HOSPITAL)
    ).one()
    actor = TerminalActor(terminal.id, terminal.institution_id, "", "1")
    at_once = CancelRule(None, minutes_before=30)
    rules = BookingRules(
        7, wall(0), OnePer.DEPARTMENT, 0, False, 15, at_once, at_once, waiting_max=50
    )
    clinics.set_rules(unit, SetRules(actor, rules, new_key()))
    day = local_day(unit.now) + timedelta(days=2)
    stretches = tuple(SeatBlock(wall(8 + hour), wall(9 + hour), seats // 4) for hour in range(4))
    plan = ClinicPlan(
        *("RUSH", day, ClinicKind.EXPERT, "0901", "神经内科", "D99", "甘样例", "主任医师", "1室"),
        fee_code="",
        fee_fen=Fen(0),
        blocks=stretches,
    )
    done = clinics.publish(unit, PublishClinics(actor, (plan,), new_key()))
    if not isinstance(done, ClinicsPublished):
        raise SystemExit(f"the clinic was refused: {done}")
    return done.clinics[0].id


def _tokens(database: Database, people: int) -> list[str]:
    """Register people, sign each in on a device, and return their access tokens."""

    def some(unit: Unit, first: int) -> list[str]:
        tokens = []
        for number in range(first, min(first + 250, people)):
            birth = date(1950, 1, 1) + timedelta(days=number)
            known = Particulars("抢号样例", sample_id_number(birth, 401, "1"), birth, "1", "")
            person = register_person(unit, RegisterPerson(known, ()))
            if not isinstance(person, PersonView):
                raise SystemExit(f"somebody could not be registered: {person}")
            device = identity.Device("rush", "here")
            opened = identity.open_session(unit, person.id, device, Proof.DESK)
            tokens.append(opened.access_token)
        return tokens

    return [
        token
        for first in range(0, people, 250)
        for token in database.write(partial(some, first=first))
    ]


def _ask(
    address: str, clinic_id: str, tokens: list[str], callers: int
) -> tuple[Counter[str], list[float], float]:
    """Let everybody ask once and return what they were told, how long each took, and all together."""
    waiting, said, took = iter(tokens), Counter[str](), []
    guard, gate = threading.Lock(), threading.Barrier(callers + 1)

    def call() -> None:
        client = Client(address)
        gate.wait()
        while True:
            with guard:
                client.token = next(waiting, "")
            if not client.token:
                client.http.close()
                return
            began = time.perf_counter()
            told = client.do_once("BookAppointment", clinicId=clinic_id)
            with guard:
                took.append(time.perf_counter() - began)
                said[told.get("code") or told["state"]] += 1

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return said, took, time.perf_counter() - began


def _check(
    database: Database, clinic_id: str, said: Counter[str], *, people: int, seats: int
) -> None:
    """Fail unless every seat is one person's, and everybody was told the truth."""

    def read(unit: Unit) -> tuple[int, int, int]:
        sold = select(func.count()).where(
            ClinicSeat.clinic_id == clinic_id, col(ClinicSeat.appointment_id).is_not(None)
        )
        of = Appointment.clinic_id == clinic_id
        booked = select(func.count(func.distinct(Appointment.person_id))).where(of)
        numbers = select(func.count(func.distinct(Appointment.queue_number))).where(of)
        return tuple(int(unit.db.exec(query).one()) for query in (sold, booked, numbers))

    found = database.read(read)
    if found != (seats, seats, seats) or said != {"BOOKED": seats, "CLINIC_FULL": people - seats}:
        raise SystemExit(f"seats, people, numbers: {found}; told: {said}")


if __name__ == "__main__":
    main()
