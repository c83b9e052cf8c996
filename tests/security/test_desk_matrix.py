"""Who may do what at the desk: every operation of its schema for every kind of caller.

A new operation without a row fails. Staff of another region are turned away from whatever belongs to
people of this one, and what they see of the work is empty; a refusal has changed nothing.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.access.assurance import Proof
from backend.cards.contracts import CardLossView, ReportCardLoss
from backend.cards.service import report as report_card
from backend.desk import queries, templates
from backend.desk import service as desk
from backend.desk.contracts import (
    ActKind,
    AddReplyTemplate,
    MatterDecision,
    Payload,
    ProposalView,
    Propose,
    ReplyTemplateView,
)
from backend.infra.database import Database
from backend.infra.tokens import Audience, Claims
from backend.kernel.money import Fen
from backend.merging import service as merging
from backend.orders import reconciling
from backend.orders.contracts import CashLine, ChannelName, LineKind, OrderState, ReturnState
from backend.ratings.contracts import RatingEvent, RatingReason
from backend.reports import handling
from backend.reports.handling_contracts import AskUnmasking, DecideUnmasking
from backend.sample_data.people import sample_id_number
from backend.staff import service as staff
from mobile_bff import documents
from mobile_bff.desk.schema import DESK_DOCUMENTS, make_desk_schema
from tests.scripted_channel import ScriptedChannel
from tests.security.test_matrix import TURNED_AWAY, Province, Row, _input, asked
from tests.usecases.test_chronic import submitted as chronic_submitted
from tests.usecases.test_claim_cases import booked as claim_booked
from tests.usecases.test_claim_cases import submitted as claim_submitted
from tests.usecases.test_credit import objected_debt
from tests.usecases.test_documents import (
    BABY,
    BORN,
    NUMBER,
    PASSPORT,
    pairs,
    register,
    registered_baby,
    resident,
)
from tests.usecases.test_enrolment import FROM_BEIJING, moving
from tests.usecases.test_filings import PROMISED, PROVEN, add, filed, save, submit
from tests.usecases.test_orders import cancel, drive, pay
from tests.usecases.test_ratings import rate
from tests.usecases.test_ratings import work as work_rating
from tests.usecases.test_registration import ELDER
from tests.usecases.test_registration import register as register_oneself
from tests.usecases.test_relatives import asked_for, bound, request
from tests.usecases.test_reports import claim, proven
from tests.usecases.test_reports import pay as pay_reward
from tests.usecases.test_reports import taken_in as lodged
from tests.usecases.test_statements import mismatch
from tests.usecases.test_supervision import raised, relayed_bill
from tests.usecases.test_tickets import opened as opened_ticket
from tests.world import ManualClock, World, resources_for

SCHEMA = make_desk_schema()
STAFF = ("clerk", "checker", "supervisor", "expert", "elsewhere", "province", "blocked",
         "inspector", "head")  # fmt: skip
EVERYBODY = ("anonymous", "person", "till", *STAFF)
_CLERKS = {"clerk", "checker", "province"}
_CHECKERS = {"checker", "supervisor", "province"}
_LETTER = {"months": 60, "balanceFen": 0}
_WORKING = {*_CLERKS, *_CHECKERS, "expert", "elsewhere", "inspector", "head"}
_INSPECTORS = {"inspector", "head"}
_SUPERVISORS = {"supervisor", "head"}

MUTATIONS: dict[str, Row] = {
    "openStaffSession": Row(set(EVERYBODY), _input(number="CD1001", password="x", code="0")),
    "closeStaffSession": Row(_WORKING),
    "changeStaffPassword": Row(_WORKING, _input(password="x", newPassword="y")),
    "findPerson": Row(_CLERKS, _input(name="@owner_name", number="@owner_number")),
    "vouchDevice": Row(_CLERKS, _input(personId="@owner", sessionId="@session")),
    "recordDocument": Row(
        _CLERKS, _input(personId="@owner", kind="PASSPORT", number="E99000002", country="UTO")
    ),
    "workTicket": Row(_CLERKS, _input(ticketId="@ticket", event="TAKE")),
    "reissueCard": Row(_CLERKS, _input(personId="@owner")),
    "decideBinding": Row(_CLERKS, _input(bindingId="@asked", decision="APPROVE")),
    "rejectRegistration": Row(_CLERKS, _input(registrationId="@registration")),
    "proposeMerge": Row(_CLERKS, _input(caseId="@pair", keptId="@kept", words="户口本")),
    "tellApart": Row(_CLERKS, _input(caseId="@pair", words="双胞胎")),
    "withdrawMerge": Row(_CLERKS | _CHECKERS, _input(caseId="@proposed_pair")),
    "confirmMerge": Row(_CHECKERS, _input(caseId="@proposed_pair")),
    "takeMatter": Row(_CLERKS, _input(matterId="@matter")),
    "handOver": Row(
        _CLERKS | _SUPERVISORS, _input(matterIds=["@matter"], toNumber="CD1002", words="请假")
    ),
    "addReplyTemplate": Row(
        _SUPERVISORS, _input(region="510100", decision="ASK", words="请上传出院小结")
    ),
    "removeReplyTemplate": Row(_SUPERVISORS, _input(templateId="@template")),
    "lookAtMatter": Row(_CLERKS, _input(matterId="@matter")),
    "judgeMaterial": Row(_CLERKS, _input(materialId="@material", verdict="ACCEPTED")),
    "giveOpinion": Row({"expert"}, _input(matterId="@chronic", meets=True, words="符合")),
    "decideMatter": Row(_CLERKS, _input(matterId="@matter", decision="APPROVE")),
    "reckonClaim": Row(
        _CLERKS,
        _input(
            matterId="@claim",
            lines=[{"name": "诊查费", "quantity": "1", "unitPrice": "9.00"}],
            words="发票与明细一致",
        ),
    ),
    "handOnTransfer": Row(_CLERKS, _input(matterId="@incoming", words="信息表", **_LETTER)),
    "recordPayout": Row(_CHECKERS, _input(matterId="@booked_claim", paid=True)),
    "decideRating": Row(_CLERKS, _input(ratingId="@appealed", uphold=True, words="x")),
    "workReport": Row(_INSPECTORS, _input(reportId="@report", event="OPEN", words="x")),
    "askReporter": Row(_INSPECTORS, _input(reportId="@report", words="x")),
    "publishFinding": Row(_SUPERVISORS, _input(reportId="@proven", words="x")),
    "askUnmasking": Row(_INSPECTORS, _input(reportId="@report", words="x")),
    "decideUnmasking": Row({"head"}, _input(unmaskingId="@unmasking", grant=True, words="x")),
    "readReporter": Row({"inspector"}, _input(unmaskingId="@granted")),
    "notePayout": Row(_CHECKERS, _input(payoutId="@payout", voucher="x")),
    "clawBackReward": Row(_SUPERVISORS, _input(reportId="@rewarded", words="x")),
    "decideDebt": Row(_CLERKS, _input(agreementId="@debt", words="x")),
    "workAlert": Row(_INSPECTORS, _input(alertId="@alert", event="TAKE")),
    "retryReturn": Row({"province"}, _input(paymentId="@failed")),
    "closeMismatch": Row(_CHECKERS, _input(mismatchId="@mismatch", words="x")),
    "closeDifference": Row({"province"}, _input(differenceId="@difference", words="x")),
    "retryUpload": Row(_CLERKS, _input(filingId="@filing")),
    "propose": Row(
        _CLERKS, _input(kind="REGISTRATION", subjectId="@registration", words="身份证原件")
    ),
    "confirmProposal": Row(_CHECKERS, _input(proposalId="@proposal")),
    "withdrawProposal": Row(_CLERKS | _CHECKERS, _input(proposalId="@proposal")),
}
QUERIES = {
    "replyTemplates": (set(EVERYBODY), documents.document("ReplyTemplates", DESK_DOCUMENTS)),
    "me": (_WORKING, "query Me { me { number } }"),
    "node": (set(EVERYBODY), 'query N { node(id: "@institution") { __typename } }'),
    "nodes": (set(EVERYBODY), 'query N { nodes(ids: ["@institution"]) { __typename } }'),
    "tickets": (_WORKING, documents.document("DeskTickets", DESK_DOCUMENTS)),
    "debts": (_WORKING, documents.document("DeskDebts", DESK_DOCUMENTS)),
    "alerts": (_WORKING, documents.document("DeskAlerts", DESK_DOCUMENTS)),
    "alert": (_INSPECTORS, 'query A { alert(alertId: "@alert") { alertId } }'),
    "alertRates": (_WORKING, documents.document("AlertRates", DESK_DOCUMENTS)),
    "failedReturns": (_WORKING, documents.document("FailedReturns", DESK_DOCUMENTS)),
    "mismatches": (_WORKING, documents.document("Mismatches", DESK_DOCUMENTS)),
    "cashDifferences": (_WORKING, documents.document("CashDifferences", DESK_DOCUMENTS)),
    "reports": (_WORKING, documents.document("DeskReports", DESK_DOCUMENTS)),
    "report": (_INSPECTORS, 'query R { report(reportId: "@report") { number } }'),
    "unmaskings": (_WORKING, documents.document("Unmaskings", DESK_DOCUMENTS)),
    "rewardPayouts": (_WORKING, documents.document("RewardPayouts", DESK_DOCUMENTS)),
    "ratings": (_WORKING, documents.document("DeskRatings", DESK_DOCUMENTS)),
    "exceptions": (_WORKING, documents.document("Exceptions", DESK_DOCUMENTS)),
    "queue": (_WORKING, documents.document("Queue", DESK_DOCUMENTS)),
    "workload": (_SUPERVISORS, 'query W { workload(region: "510100") { complete } }'),
    "work": (_WORKING, documents.document("Work", DESK_DOCUMENTS)),
}


@pytest.fixture(scope="module")
def province(
    sqlite_template: Path, keys_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Province]:
    path = tmp_path_factory.mktemp("desk") / "yibao.sqlite3"
    shutil.copy(sqlite_template, path)
    database = Database(resources_for(f"sqlite:///{path}", keys_file, ManualClock()))
    yield _furnished(World(database, database.resources.clock))  # type: ignore[arg-type]
    database.close()


def _furnished(world: World) -> Province:
    until = world.clock.now() + timedelta(hours=1)
    names = {
        "clerk": "CD1001",
        "checker": "CD1002",
        "supervisor": "CD1003",
        "expert": "HX2001",
        "elsewhere": "ZG1001",
        "province": "SC1001",
        "blocked": "CD1009",
        "inspector": "JG1001",
        "head": "JG5102",
    }
    duties = world.staff("CD1001").duties
    world.database.write(lambda u: staff.add(u, "test", "CD1009", "离职样例", duties))
    gone = world.staff("CD1009")
    claims: dict[str, Claims | None] = {"anonymous": None}
    for name, number in names.items():
        one = world.staff(number)
        claims[name] = Claims(Audience.STAFF, one.staff_id, one.session_id, until)
    world.database.write(lambda u: staff.block(u, "test", gone.staff_id))
    person, till = world.actor("retiree"), world.terminal()
    claims["person"] = Claims(Audience.PERSON, person.person_id, person.session_id, until)
    claims["till"] = Claims(Audience.TERMINAL, till.terminal_id, till.session_id, until)

    asked_binding = request(world, "worker", "retiree")
    paying = bound(world, "worker_2", "retiree")
    world.prove("retiree", Proof.DESK)
    registration = register_oneself(world, ELDER)
    registered_baby(world)
    kept = register(world, replace(BABY, id_number=NUMBER), enrolments=(resident(),)).id
    [open_pair] = pairs(world)
    second = replace(BABY, name="双样例")
    one = register(world, second, replace(PASSPORT, number="E99000009"), enrolments=(resident(),))
    numbered = replace(second, id_number=sample_id_number(BORN, 453, "2"))
    other = register(world, numbered, enrolments=(resident(),))
    assert one.id != other.id
    pair = next(p for p in pairs(world) if p.id != open_pair.id)
    world.database.write(lambda u: merging.propose(u, "staff:CD1001", pair.id, other.id, "户口本"))
    proposal = world.do(
        desk.propose,
        Propose(
            world.staff("CD1001"),
            ActKind.BINDING_PAYMENT,
            Payload(paying.id, pay_limit_fen=10_000),  # type: ignore[arg-type]
            "签字授权书",
        ),
    )
    assert isinstance(proposal, ProposalView), proposal
    waits = save(world, PROVEN, "worker_3")
    paper = add(world, waits.matter.id, by="worker_3")
    submit(world, waits, "worker_3")
    filing = filed(world, PROMISED, "worker_4").filing
    disease = chronic_submitted(world, "worker_5")
    lost = ReportCardLoss(person, person.person_id, True, False)
    world.prove("retiree", Proof.DESK)
    assert isinstance(world.do(report_card, lost), CardLossView)
    handed_in = claim_submitted(world, "worker_6")
    to_pay = claim_submitted(world, "worker_6", invoices=("11010026A0000099",))
    claim_booked(world, to_pay.id)
    assert filing is not None
    owner = asked_for(world, "worker", "retiree")
    words = AddReplyTemplate(
        world.staff("CD1003"), "510100", None, MatterDecision.ASK, "请上传出院小结"
    )
    template = world.do(templates.add, words)
    assert isinstance(template, ReplyTemplateView)
    ids = {
        "template": template.id,
        "matter": waits.matter.id,
        "material": paper.id,
        "chronic": disease.id,
        "claim": handed_in.id,
        "incoming": moving(world, FROM_BEIJING).matter.id,
        "appealed": _appealed(world),
        **_reported(world),
        "debt": objected_debt(world, "aided"),
        **_cash_astray(world),
        "mismatch": mismatch(world),
        "alert": _alarmed(world),
        "ticket": opened_ticket(world, "worker_6").id,
        "booked_claim": to_pay.id,
        "filing": filing.id,
        "owner": person.person_id,
        "owner_name": owner.owner_name,
        "owner_number": owner.owner_id_number,
        "session": person.session_id,
        "asked": asked_binding.id,
        "registration": registration.registration_id,
        "pair": open_pair.id,
        "kept": kept,
        "proposed_pair": pair.id,
        "proposal": proposal.id,
    }
    return Province(world, claims, ids)


def _reported(world: World) -> dict[str, str]:
    """Return reports in several states, a reward to be paid, and requests for a name."""
    new, true, paid, waits = (lodged(world, f"worker_{number}") for number in range(2, 6))
    for one in (true, paid, waits):
        proven(world, one)
    claim(world, paid)
    pay_reward(world)
    claim(world, waits)
    checker = world.staff("CD1002")
    [payout] = world.database.write(lambda u: handling.payouts(u, checker, 9))
    ask = AskUnmasking(world.staff("JG1001"), new.report_id, "x")
    asked_for_name, granted = (world.do(handling.ask_unmasking, ask) for _ in range(2))
    grant = DecideUnmasking(world.staff("JG5102"), granted.id, True, "x")
    world.do(handling.decide_unmasking, grant)
    return {
        "report": new.report_id,
        "proven": true.report_id,
        "rewarded": paid.report_id,
        "payout": payout.id,
        "unmasking": asked_for_name.id,
        "granted": granted.id,
    }


def _cash_astray(world: World) -> dict[str, str]:
    """Return a payment whose cash could not be given back, and a difference with a channel's file."""
    channel = ScriptedChannel(world.clock)
    channel.returns = [ReturnState.FAILED]
    order = drive(world, channel, pay(world, "worker_7").id)
    channel.pays(order.number)
    cancel(world, order.id, "worker_7")
    assert drive(world, channel, order.id).state is OrderState.RETURN_FAILED
    now = world.clock.now()
    stray = CashLine(LineKind.PAID, "YB0", Fen(1), "T0", now)
    world.database.write(lambda u: reconciling.compare(u, ChannelName.WECHAT, now.date(), [stray]))
    found = world.database.read(lambda u: reconciling.differences(u, 10))
    return {"failed": order.id, "difference": found[0].id}


def _alarmed(world: World) -> str:
    relayed_bill(world, "worker_8")
    return raised(world)[0].id


def _appealed(world: World) -> str:
    rating = rate(world, 1, RatingReason.WAITING, who="worker_6")
    work_rating(world, rating, RatingEvent.APPEAL)
    return str(rating.id)


def test_every_operation_of_the_desk_has_a_row() -> None:
    schema = SCHEMA._schema
    assert schema.mutation_type is not None
    assert schema.query_type is not None
    assert set(MUTATIONS) == set(schema.mutation_type.fields)
    assert set(QUERIES) == set(schema.query_type.fields)
    assert schema.subscription_type is None


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_who_may_write_at_the_desk(province: Province, mutation: str, who: str) -> None:
    row = MUTATIONS[mutation]
    document = documents.document(mutation[0].upper() + mutation[1:], DESK_DOCUMENTS)
    became, changed = asked(province, who, document, row.variables(province), SCHEMA)
    assert (became not in TURNED_AWAY) == (who in row.may), became
    assert changed == []
    if who in row.may and mutation not in ("openStaffSession", "changeStaffPassword"):
        assert not became.endswith(("NotFound", "NotPossible", "Invalid", "Taken")), became


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("query", sorted(QUERIES))
def test_who_may_read_at_the_desk(province: Province, query: str, who: str) -> None:
    may, document = QUERIES[query]
    institution = f"Institution:{province.world.terminal().institution_id}"  # in every directory
    document = document.replace("@institution", base64.b64encode(institution.encode()).decode())
    for name in ("report", "alert"):
        document = document.replace(f"@{name}", province.ids[name])
    became, _ = asked(province, who, document, {}, SCHEMA)
    assert (became not in TURNED_AWAY) == (who in may), became


@pytest.mark.parametrize(
    ("number", "sees"), [("CD1001", True), ("SC1001", True), ("ZG1001", False)]
)
def test_staff_see_the_work_of_their_own_regions(
    province: Province, number: str, sees: bool
) -> None:
    world = province.world
    work = world.database.read(lambda u: queries.work(u, world.staff(number), 20))
    seen: list[Any] = [work.bindings, work.registrations, work.duplicates, work.proposals]
    seen.append(work.matters)
    assert [bool(kind) for kind in seen] == [sees] * 5
