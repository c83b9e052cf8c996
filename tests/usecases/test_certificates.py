"""凭证: issued, signed once, taken back, run out, verified by anybody; and each way it is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from backend.access.contracts import Anonymous, NotPermitted, SignInRequired
from backend.certificates import queries, service
from backend.certificates.contracts import (
    CertificateKind,
    CertificateNotFound,
    CertificateNotPossible,
    CertificatePaper,
    CertificateProblem,
    CertificateState,
    CertificateView,
    CheckCodeUnknown,
    IssueCertificate,
    RevokeCertificate,
    TooManyChecks,
    Verified,
    VerifyCertificate,
)
from backend.kernel.calendar import local_day
from backend.ledger import contracts as accounts
from backend.ledger import queries as ledger
from backend.people import queries as people
from backend.proxies.contracts import Scope
from tests.scripted_channel import ScriptedChannel
from tests.usecases.test_enrolment import bills, pay, registered
from tests.usecases.test_orders import drive
from tests.usecases.test_orders import pay as pay_bill
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import EJIAO, IBUPROFEN, World, line, new_key

K = CertificateKind


def issue(
    world: World, kind: K = K.ENROLMENT, year: int | None = None, who: str = "worker_2", **more: Any
) -> Any:
    by = world.actor(more.get("by", who))
    key, settled = more.get("key") or new_key(), more.get("settlement")
    command = IssueCertificate(by, world.person(who), kind, year, key, settled)
    return world.do(service.issue, command)


def verify(world: World, code: str, address: str = "198.51.100.7") -> Any:
    return world.do(service.verify, VerifyCertificate(address, code))


def paper(world: World, certificate_id: str, by: str = "worker_2") -> Any:
    actor = world.actor(by)
    return world.database.write(lambda unit: service.paper(unit, actor, certificate_id))


def revoke(world: World, certificate_id: str, by: str = "worker_2") -> Any:
    return world.do(service.revoke, RevokeCertificate(world.actor(by), certificate_id))


def test_it_states_every_insurance_with_months_and_balance(world: World) -> None:
    made = issue(world)
    assert isinstance(made, CertificateView)
    assert made.state is CertificateState.VALID
    assert (made.valid_until - local_day(world.clock.now())).days == 90
    assert made.link.endswith(f"/verify/{made.check_code}")
    facts = paper(world, made.id).facts
    person = world.person("worker_2")
    known = world.database.read(lambda unit: people.particulars(unit, person))
    assert (facts.name, facts.id_number) == (known.name, known.id_number)
    [held] = facts.insurances
    enrolment = world.enrolment("worker_2")
    balance = world.database.read(lambda u: ledger.balance(u, accounts.personal(enrolment)))
    assert held.balance_fen == balance
    assert held.months_paid > 0
    assert [kind for kind, _ in messages(world)].count("certificate_issued") == 1


def test_of_a_year_it_states_what_was_paid_or_settled(world: World) -> None:
    world.buy("worker_2", line(IBUPROFEN, "1", "20.00"))
    listed = paper(world, issue(world, K.SETTLEMENTS, 2026).id).facts.settlements
    assert [one.total_fen for one in listed] == [2000]
    for one in listed:
        shares = (one.fund_fen, one.hospital_fen, one.account_fen, one.family_fen, one.cash_fen)
        assert sum(shares) == one.total_fen
    paid = paper(world, issue(world, K.CONTRIBUTIONS, 2026).id).facts.contributions
    assert paid
    assert all(one.starts.year == 2026 for one in paid)
    assert list(paid) == sorted(paid, key=lambda one: one.starts)


def test_what_is_not_paid_yet_is_not_certified(world: World) -> None:
    registered(world)
    made = issue(world, K.CONTRIBUTIONS, 2026, who="not_insured")
    assert made == CertificateNotPossible(CertificateProblem.NOTHING)
    [bill] = bills(world)
    pay(world, bill.bill_number)
    made = issue(world, K.CONTRIBUTIONS, 2026, who="not_insured")
    stated = paper(world, made.id, by="not_insured").facts.contributions
    assert [one.own_fen for one in stated] == [bill.own_fen]
    assert verify(world, made.check_code).own_fen == bill.own_fen


def test_what_it_states_stays_as_it_was_issued(world: World) -> None:
    made = issue(world)
    before = paper(world, made.id).facts
    world.buy("worker_2", line(IBUPROFEN, "1", "20.00"))
    assert paper(world, made.id).facts == before
    after = paper(world, issue(world).id).facts
    assert after.insurances[0].balance_fen == (before.insurances[0].balance_fen or 0) - 2000


def test_nothing_to_state_a_year_to_come_and_too_many_are_refused(world: World) -> None:
    def problem(made: Any) -> CertificateProblem:
        assert isinstance(made, CertificateNotPossible)
        return made.problem

    assert problem(issue(world, who="not_insured")) is CertificateProblem.NOTHING
    assert problem(issue(world, K.SETTLEMENTS, 2020)) is CertificateProblem.NOTHING
    assert problem(issue(world, K.SETTLEMENTS, 2027)) is CertificateProblem.YEAR
    assert problem(issue(world, K.CONTRIBUTIONS, None)) is CertificateProblem.YEAR
    assert problem(issue(world, K.CONTRIBUTIONS, -1)) is CertificateProblem.YEAR
    world.change_settings(certificates_per_person_per_day=1)
    assert isinstance(issue(world, who="retiree"), CertificateView)
    assert problem(issue(world, who="retiree")) is CertificateProblem.TOO_MANY
    world.clock.forward(days=1)
    world._actors.clear()
    assert isinstance(issue(world, who="retiree"), CertificateView)


def test_the_same_request_is_the_same_certificate(world: World) -> None:
    key = new_key()
    first = issue(world, key=key)
    assert issue(world, key=key) == first
    person = world.person("worker_2")
    assert len(world.database.read(lambda unit: queries.of_person(unit, person, 20))) == 1


def test_nobody_else_has_it_and_a_relative_needs_both_consents(world: World) -> None:
    made = issue(world)
    assert isinstance(issue(world, by="retiree"), NotPermitted)
    assert isinstance(paper(world, made.id, by="retiree"), CertificateNotFound)
    assert isinstance(revoke(world, made.id, by="retiree"), CertificateNotFound)
    assert isinstance(paper(world, "no such"), CertificateNotFound)
    nobody = world.database.write(lambda unit: service.paper(unit, Anonymous(), made.id))
    assert isinstance(nobody, SignInRequired)


@pytest.mark.parametrize("scopes", [(Scope.FILE,), (Scope.VIEW_INFO,)])
def test_one_consent_of_the_two_is_not_enough(world: World, scopes: tuple[Scope, ...]) -> None:
    bound(world, "worker", "retiree", scopes=scopes)
    assert isinstance(issue(world, who="retiree", by="worker"), NotPermitted)


def test_a_relative_with_both_consents_has_it_issued(world: World) -> None:
    bound(world, "worker", "retiree", scopes=(Scope.FILE, Scope.VIEW_INFO))
    made = issue(world, who="retiree", by="worker")
    assert isinstance(made, CertificateView)
    assert made.person_id == world.person("retiree")
    assert isinstance(paper(world, made.id, by="worker"), CertificatePaper)
    assert "relative_acted" in [kind for kind, _ in messages(world)]


def test_anybody_verifies_it_and_sees_it_masked(world: World) -> None:
    made = issue(world)
    found = verify(world, made.check_code.lower().replace("-", " "))
    assert isinstance(found, Verified)
    assert found.number == made.number
    facts = paper(world, made.id).facts
    assert facts.name not in str(found)
    assert facts.id_number not in str(found)
    assert found.insurances == facts.insurances
    assert found.digest == ""


def test_what_is_misread_is_meant_anyway(world: World) -> None:
    made = issue(world)
    assert not set("ILOU") & set(made.check_code)
    code = made.check_code.replace("0", "O").replace("1", "l")
    assert isinstance(verify(world, code), Verified)


def test_taken_back_or_run_out_it_says_so(world: World) -> None:
    first, second = issue(world), issue(world)
    taken = revoke(world, first.id)
    assert taken.state is CertificateState.REVOKED
    assert verify(world, first.check_code).state is CertificateState.REVOKED
    assert isinstance(paper(world, first.id), CertificateNotFound)
    assert isinstance(revoke(world, first.id), CertificateNotFound)
    world.clock.forward(days=90)
    assert verify(world, second.check_code).state is CertificateState.VALID
    world.clock.forward(days=1)
    world._actors.clear()
    assert verify(world, second.check_code).state is CertificateState.EXPIRED
    assert isinstance(revoke(world, second.id), CertificateNotFound)
    assert isinstance(paper(world, second.id), CertificatePaper)


def test_codes_are_not_to_be_guessed(world: World) -> None:
    world.change_settings(wrong_check_codes_per_address_per_hour=3)
    made = issue(world)
    for _ in range(3):
        assert isinstance(verify(world, "0000-0000-0000-0000"), CheckCodeUnknown)
    held = verify(world, made.check_code)
    assert isinstance(held, TooManyChecks)
    assert 0 < held.retry_after_seconds <= 3600
    assert isinstance(verify(world, made.check_code, "198.51.100.8"), Verified)
    world.clock.forward(hours=2)
    assert isinstance(verify(world, made.check_code), Verified)


def test_right_codes_never_run_out(world: World) -> None:
    world.change_settings(wrong_check_codes_per_address_per_hour=1)
    made = issue(world)
    for _ in range(5):
        assert isinstance(verify(world, made.check_code), Verified)


def test_of_two_signed_at_once_the_first_counts(world: World) -> None:
    made = issue(world)
    first = world.database.write(lambda unit: service.keep(unit, made.id, b"one"))
    second = world.database.write(lambda unit: service.keep(unit, made.id, b"two"))
    assert (first, second) == (b"one", b"one")
    assert paper(world, made.id).file == b"one"
    digest = hashlib.sha256(b"one").hexdigest()
    found = world.database.read(lambda unit: queries.by_digest(unit, digest))
    assert found is not None
    assert found.digest == digest
    assert verify(world, made.check_code) == found


def test_what_it_states_is_sealed_in_the_database(world: World) -> None:
    made = issue(world)
    world.database.write(lambda unit: service.keep(unit, made.id, b"%PDF a file in the open"))
    facts = paper(world, made.id).facts
    rows = world.database.read(
        lambda unit: unit.db.connection().exec_driver_sql("SELECT * FROM certificate").all()
    )
    for plain in (facts.name, facts.id_number, made.check_code, "%PDF"):
        assert plain not in str(rows)


def test_a_receipt_states_one_settlement_and_how_its_cash_was_paid(world: World) -> None:
    till = world.buy("worker_2", line(IBUPROFEN, "2", "12.50"), line(EJIAO, "1", "98.00"))
    made = issue(world, K.RECEIPT, settlement=till.id)
    assert (made.kind, made.year) == (K.RECEIPT, None)
    facts = paper(world, made.id).facts
    [stated] = facts.settlements
    assert (stated.total_fen, stated.cash_fen) == (12_300, till.cash_fen)
    assert [
        (one.quantity, one.unit_price, one.total_fen, one.own_fen) for one in facts.receipt.lines
    ] == [
        ("2", "12.50", 2_500, 0),
        ("1", "98.00", 9_800, 9_800),
    ]
    assert (facts.receipt.cash, facts.receipt.taken_back) == (None, False)
    channel = ScriptedChannel(world.clock)
    order = drive(world, channel, pay_bill(world, "worker_2").id)
    channel.pays(order.number)
    paid = drive(world, channel, order.id)
    cash = paper(
        world, issue(world, K.RECEIPT, settlement=paid.settlement_id).id
    ).facts.receipt.cash
    assert (cash.channel, cash.number, cash.trade_number) == (
        "WECHAT",
        paid.number,
        paid.trade_number,
    )
    assert (cash.paid_fen, cash.returned_fen) == (9_800, 0)
    world.reverse(str(paid.settlement_id))
    drive(world, channel, order.id)
    later = paper(world, issue(world, K.RECEIPT, settlement=paid.settlement_id).id).facts.receipt
    assert (later.taken_back, later.cash.returned_fen) == (True, 9_800)


@pytest.mark.parametrize("which", ["none", "strange", "anothers"])
def test_a_receipt_of_nothing_of_theirs(world: World, which: str) -> None:
    other = world.buy("worker", line(IBUPROFEN)).id
    asked = {"none": None, "strange": "x", "anothers": other}[which]
    refused = issue(world, K.RECEIPT, settlement=asked)
    assert refused == CertificateNotPossible(CertificateProblem.SETTLEMENT)
