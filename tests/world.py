"""A sample province on a real database with a clock that the test holds, driven by use cases."""

from __future__ import annotations

import csv
import hashlib
import itertools
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import jwt
from sqlalchemy import text

from backend.access.assurance import Proof
from backend.access.contracts import PersonActor, StaffActor, TerminalActor
from backend.codes import service as codes
from backend.codes.contracts import IssueCode, IssuedCode, Purpose
from backend.identity import safety
from backend.identity.model import DeviceSession
from backend.infra.clock import SystemIds
from backend.infra.database import Database, Resources, Unit
from backend.infra.keys import load_keys, make_keys
from backend.infra.sealing import Vault
from backend.infra.settings import Settings
from backend.institutions import queries as institutions
from backend.institutions import service as institution_service
from backend.institutions.contracts import OpenTerminalSession
from backend.kernel.money import Fen, parse_quantity, parse_unit_price
from backend.ledger import queries as ledger
from backend.orders import service as orders
from backend.payments import decisions
from backend.payments import service as payments
from backend.payments.contracts import (
    BasketLine,
    BillView,
    DecideBill,
    Presettle,
    ReverseSettlement,
    ScanCode,
    ScannedCode,
    Settle,
)
from backend.payments.stay_contracts import AdmitPatient, CancelAdmission, TakeDeposit
from backend.people import queries as people
from backend.rulebook.library import rulebook
from backend.sample_data import load as sample
from backend.sample_data.load import sample_key
from backend.settlement import queries as settlements
from backend.settlement.contracts import SettlementView
from backend.staff import queries as staff
from backend.staff.model import StaffSession

START = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
PHARMACY = "P51010400001"
POOLLESS_PHARMACY = "P51010400002"
OTHER_PHARMACY = "P51010500001"
LEVEL_3 = "H51010400001"
COMMUNITY = "H51010400004"
LEVEL_2 = "H51010400002"
BEIJING = "H11010100001"
CAMPUS = "H51010700005"
IBUPROFEN = "XM01AEA001A001030100001"  # class A, no limit
ROSUVASTATIN = "XC10AAA002A001010100001"  # class B, 10 % prepaid
LIANHUA = "ZA01AAA0001010100001"  # class A, price limit 14.80
EJIAO = "XA99ZZ0002A743010100001"  # class C
VISIT = "001101000010000-110100001"  # a treatment, class A
MONEY_TABLES = (
    "settlement",
    "counter",
    "counter_entry",
    "ledger_account",
    "ledger_entry",
    "ledger_posting",
    "trace_holding",
    "trace_event",
    "hospital_stay",
    "pay_later",
)
_PEOPLE = Path(sample.__file__).parent / "people.csv"
_serials = itertools.count(1)


@dataclass
class ManualClock:
    """Time that moves only when told to."""

    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def forward(self, **amount: float) -> None:
        self.instant += timedelta(**amount)


def resources_for(url: str, keys: Path, clock: Any, **settings: Any) -> Resources:
    """Return resources on a database URL."""
    made = Settings(database_url=url, keys_file=str(keys), data_dir=keys.parent, **settings)
    apart = made.resolved_reporters_keys_file
    if not apart.exists():
        make_keys(apart, SystemIds())
    vault, reporters = (Vault(load_keys(ring), SystemIds()) for ring in (keys, apart))
    return Resources(made, clock, SystemIds(), vault, reporters)


@dataclass(frozen=True)
class Used:
    """What a year has used of the outpatient benefits."""

    deductible_fen: int
    fund_fen: int


@dataclass
class World:
    """The province and short ways to act in it."""

    database: Database
    clock: ManualClock
    _actors: dict[str, PersonActor] = field(default_factory=dict)
    _terminals: dict[str, TerminalActor] = field(default_factory=dict)
    _staff: dict[str, StaffActor] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.database.resources.settings

    def change_settings(self, **changes: Any) -> None:
        resources = self.database.resources
        changed = replace(resources.settings, **changes)
        self.database.resources = replace(resources, settings=changed)

    def person(self, key: str) -> str:
        with _PEOPLE.open(encoding="utf-8", newline="") as file:
            for serial, row in enumerate(csv.DictReader(file), 1):
                if row["key"] == key:
                    birth = datetime.fromisoformat(row["birth_date"]).date()
                    number = sample.sample_id_number(birth, serial, row["sex"])
                    found = self.database.read(
                        partial(people.person_by_id_number, id_number=number)
                    )
                    assert found is not None
                    return found
        raise KeyError(key)

    def actor(self, key: str) -> PersonActor:
        if key not in self._actors:
            person_id = self.person(key)

            def open_session(unit: Unit) -> str:
                session_id = unit.new_id()
                unit.db.add(
                    DeviceSession(
                        id=session_id,
                        person_id=person_id,
                        device_name="test",
                        opened_at=unit.now,
                        last_seen_at=unit.now,
                        proofs={},
                    )
                )
                return session_id

            self._actors[key] = PersonActor(person_id, self.database.write(open_session))
        return self._actors[key]

    def staff(self, number: str) -> StaffActor:
        """Return a sample member of staff at the desk."""
        if number not in self._staff:

            def open_session(unit: Unit) -> StaffActor:
                known = staff.by_number(unit, number)
                assert known is not None
                ends = unit.now + timedelta(days=365)
                session = StaffSession(
                    id=unit.new_id(), staff_id=known.id, opened_at=unit.now, expires_at=ends
                )
                unit.db.add(session)
                return StaffActor(known.id, session.id, number, known.duties)

            self._staff[number] = self.database.write(open_session)
        return self._staff[number]

    def assertion(self, code: str, **changes: Any) -> str:
        number = f"T{code}01"
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": number,
            "aud": "openTerminalSession",
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + 60,
        }
        return jwt.encode({**claims, **changes}, sample_key(number), algorithm="EdDSA")

    def terminal(self, code: str = PHARMACY) -> TerminalActor:
        if code not in self._terminals:
            command = OpenTerminalSession(self.assertion(code), "1001", "收银员")
            view = self.do(institution_service.open_terminal_session, command)

            def read(unit: Unit) -> TerminalActor:
                found = institutions.open_session(unit, view.session_id)
                assert found is not None
                session, terminal = found
                return TerminalActor(terminal.id, terminal.institution_id, session.id, "1001")

            self._terminals[code] = self.database.read(read)
        return self._terminals[code]

    def do(self, use_case: Any, command: Any) -> Any:
        return self.database.write(lambda unit: use_case(unit, command), "test")

    def issue(self, key: str, purpose: Purpose = Purpose.PHARMACY_PURCHASE) -> IssuedCode:
        actor = self.actor(key)
        issued = self.do(codes.issue_code, IssueCode(actor, actor.person_id, purpose, new_key()))
        assert isinstance(issued, IssuedCode), issued
        return issued

    def scan_text(
        self,
        text_: str,
        at: str = PHARMACY,
        purpose: Purpose = Purpose.PHARMACY_PURCHASE,
        key: str | None = None,
    ) -> Any:
        command = ScanCode(self.terminal(at), text_, purpose, key or new_key())
        return self.do(payments.scan_code, command)

    def scan(
        self, key: str, at: str = PHARMACY, purpose: Purpose = Purpose.PHARMACY_PURCHASE
    ) -> ScannedCode:
        scanned = self.scan_text(self.issue(key, purpose).text, at, purpose)
        assert isinstance(scanned, ScannedCode), scanned
        return scanned

    def presettle(
        self,
        token: str,
        *lines: BasketLine,
        at: str = PHARMACY,
        use_account: bool = True,
        enrolment_id: str | None = None,
        key: str | None = None,
        **more: Any,
    ) -> Any:
        command = Presettle(
            self.terminal(at), token, lines, use_account, enrolment_id, key or new_key(), **more
        )
        return self.do(payments.presettle, command)

    def admit(self, key: str, at: str = LEVEL_3, **more: Any) -> Any:
        """Admit somebody whose code is scanned for it."""
        token = self.scan(key, at, Purpose.HOSPITAL_ADMISSION).token
        facts = {"disease": "", "emergency": False, "referred_from_id": None, "pay_later": False}
        command = AdmitPatient(
            actor=self.terminal(at), token=token, request_id=new_key(), **{**facts, **more}
        )
        return self.do(payments.admit_patient, command)

    def deposit(self, stay_id: str, amount: int, at: str = LEVEL_3) -> Any:
        command = TakeDeposit(self.terminal(at), stay_id, Fen(amount), new_key())
        return self.do(payments.take_deposit, command)

    def cancel_stay(self, stay_id: str, at: str = LEVEL_3) -> Any:
        return self.do(
            payments.cancel_admission, CancelAdmission(self.terminal(at), stay_id, new_key())
        )

    def settle_stay(
        self, stay_id: str, *lines: BasketLine, at: str = LEVEL_3, **more: Any
    ) -> SettlementView:
        """Price and book a stretch of a stay, the last one unless told otherwise."""
        facts = {"discharge": True, **more}
        bill = self.presettle("", *lines, at=at, stay_id=stay_id, **facts)
        assert isinstance(bill, BillView), bill
        if bill.state == "AWAITING_CONFIRMATION":
            key = next(k for k in self._actors if self._actors[k].person_id == bill.person.id)
            self.decide(key, bill.id, accept=True)
        settled = self.settle(bill.id, at)
        assert isinstance(settled, SettlementView), settled
        return settled

    def bill(
        self,
        key: str,
        *lines: BasketLine,
        at: str = PHARMACY,
        purpose: Purpose = Purpose.PHARMACY_PURCHASE,
        use_account: bool = True,
    ) -> BillView:
        scanned = self.scan(key, at, purpose)
        bill = self.presettle(scanned.token, *lines, at=at, use_account=use_account)
        assert isinstance(bill, BillView), bill
        return bill

    def prove(self, key: str, proof: Proof) -> None:
        """Let somebody's device count as proven."""
        actor = self.actor(key)
        self.database.write(lambda u: safety.prove(u, actor, proof))

    def decide(self, key: str, bill_id: str, accept: bool, request: str | None = None) -> Any:
        if accept:  # whoever has set up nothing yet shows the phone
            self.prove(key, Proof.SMS_CODE)
        command = DecideBill(self.actor(key), bill_id, accept, request or new_key())
        return self.do(decisions.decide_bill, command)

    def settle(self, bill_id: str, at: str = PHARMACY, key: str | None = None) -> Any:
        return self.do(payments.settle, Settle(self.terminal(at), bill_id, key or new_key()))

    def reverse(self, settlement_id: str, at: str = PHARMACY, key: str | None = None) -> Any:
        command = ReverseSettlement(self.terminal(at), settlement_id, "测试", key or new_key())
        return self.do(orders.reverse_settlement, command)

    def buy(
        self,
        key: str,
        *lines: BasketLine,
        at: str = PHARMACY,
        purpose: Purpose = Purpose.PHARMACY_PURCHASE,
    ) -> SettlementView:
        bill = self.bill(key, *lines, at=at, purpose=purpose)
        if bill.state == "AWAITING_CONFIRMATION":
            self.decide(key, bill.id, accept=True)
        settled = self.settle(bill.id, at)
        assert isinstance(settled, SettlementView), settled
        return settled

    def balance(self, key: str) -> Fen | None:
        enrolment = self.enrolment(key)
        return self.database.read(lambda u: ledger.balance(u, f"personal:{enrolment}"))

    def enrolment(self, key: str) -> str:
        person_id = self.person(key)
        day = self.clock.now().date()
        views = self.database.read(lambda u: people.enrolments_on(u, person_id, day))
        return views[0].id

    def counters(self, key: str) -> dict[str, int]:
        enrolment, year = self.enrolment(key), self.clock.now().year
        return self.database.read(lambda u: settlements.used(u, enrolment, year))

    def used(self, key: str) -> Used:
        """Return what the year has used of the outpatient benefits."""
        counters = self.counters(key)

        def of(what: str) -> int:
            return sum(counters.get(f"outpatient_{s}.{what}", 0) for s in ("worker", "resident"))

        return Used(of("deductible"), of("fund"))

    def money(self) -> str:
        """Return a digest of everything that holds money, to prove that nothing changed."""

        def read(unit: Unit) -> str:
            connection = unit.db.connection()
            content = [
                (table, sorted(map(str, connection.execute(text(f"SELECT * FROM {table}")))))
                for table in MONEY_TABLES
            ]
            return hashlib.sha256(repr(content).encode()).hexdigest()

        return self.database.read(read)

    def faults(self) -> list[Any]:
        """Return every contradiction in ledger, settlements and accumulators."""
        return self.database.read(lambda u: [*ledger.verify(u), *settlements.verify(u, rulebook())])


def phone_of(key: str) -> str:
    """Return the mobile number of a sample person."""
    with _PEOPLE.open(encoding="utf-8", newline="") as file:
        return {row["key"]: row["phone"] for row in csv.DictReader(file)}[key]


def new_key() -> str:
    """Return a fresh request key."""
    return uuid.uuid4().hex


def line(
    code: str, quantity: str = "1", price: str = "10.00", traces: int | None = None, **more: Any
) -> BasketLine:
    """Return a basket line with a fresh trace code for each pack."""
    packs = int(float(quantity)) if traces is None else traces
    return BasketLine(
        code,
        parse_quantity(quantity),
        parse_unit_price(price),
        more.pop("trace_codes", tuple(trace_code() for _ in range(max(packs, 0)))),
        **more,
    )


def trace_code() -> str:
    """Return a trace code that no other test uses."""
    return f"8{next(_serials):019d}"
