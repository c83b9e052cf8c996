"""实名举报: a report's whole life, who may do what with it, the reward, and that nobody learns who reported."""

from __future__ import annotations

import io
import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import Base
from sqlalchemy import inspect, text

from backend.access.contracts import (
    Anonymous,
    DutyMissing,
    Role,
    SignInRequired,
    TerminalActor,
)
from backend.infra.database import Unit
from backend.infra.idempotency import RequestKeyInvalid
from backend.infra.outbox import Delivery, DeliveryRefused
from backend.infra.sealing import SealBroken
from backend.kernel.money import Fen
from backend.matters.material_contracts import MaterialFile
from backend.people import queries as people
from backend.reports import handling, identities, queries, service, telling
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
    RewardState,
    SayOfReport,
    TooManyReports,
    Whose,
)
from backend.reports.handling_contracts import (
    AskReporter,
    AskUnmasking,
    ClawBack,
    DecideUnmasking,
    NotePayout,
    PayoutNotFound,
    PublishFinding,
    ReadReporter,
    ReporterView,
    UnmaskingNotPossible,
    UnmaskState,
    WorkReport,
)
from backend.reports.model import Report
from backend.reports.rules import reward_for
from tests.world import PHARMACY, World, new_key

S, E, R = ReportState, ReportEvent, RewardState
FACTS = "2026年5月起，该店每天下午把保健品刷成药品，收银员姓陈，用顾客医保码反复结算。"


def lodge(world: World, who: str = "worker", **changes: Any) -> Any:
    actor = world.actor(who) if who else Anonymous(changes.pop("address", "10.0.0.1"))
    asked: dict[str, Any] = {
        "real_name": bool(who),
        "kind": ReportKind.NON_MEDICAL,
        "institution_code": PHARMACY,
        "target": "",
        "staff_number": "",
        "region": "",
        "happened": "2026年5月",
        "facts": FACTS,
        "wants_reward": True,
        "request_id": new_key(),
    }
    return world.do(service.lodge, LodgeReport(actor, **{**asked, **changes}))


def taken_in(world: World, who: str = "worker", **changes: Any) -> ReportReceipt:
    made = lodge(world, who, **changes)
    assert isinstance(made, ReportReceipt), made
    world.database.write(handling.take_in)
    return made


def whose(receipt: ReportReceipt) -> Whose:
    return Whose(Anonymous(), "", receipt.secret)


def mine(world: World, receipt: ReportReceipt) -> ReportView:
    found = world.database.read(lambda u: service.view_own(u, whose(receipt)))
    assert isinstance(found, ReportView)
    return found


def work(world: World, one: Any, event: E, by: str = "JG1001", **more: Any) -> Any:
    command = WorkReport(world.staff(by), one.report_id, event, more.pop("words", "已核查"), **more)
    return world.do(handling.work, command)


def proven(world: World, one: Any, value: int = 500_000) -> Any:
    work(world, one, E.OPEN)
    work(world, one, E.FIND, true=True, value_fen=Fen(value))
    return work(world, one, E.CONFIRM_TRUE, "JG1002")


def queue(world: World, by: str) -> list[str]:
    actor = world.staff(by)
    return [one.number for one in world.database.read(lambda u: handling.waiting(u, actor, 20))]


def ask(world: World, receipt: ReportReceipt) -> None:
    asking = AskReporter(world.staff("JG1001"), receipt.report_id, "有照片吗？")
    assert isinstance(world.do(handling.ask, asking), ReportView)


def told(world: World) -> list[str]:
    """Notify reporters and return the phones to which a message went."""
    sent: list[Delivery] = []
    telling.notify_reporters(world.database, sent.append)
    return [json.loads(one.payload)["to"] for one in sent]


def test_a_notice_to_a_reporter_has_one_id_at_every_try(world: World) -> None:
    """Two workers may both hand it over, and one may stop before it is written down: a gateway drops one."""
    receipt = taken_in(world)
    ask(world, receipt)
    handed: list[Delivery] = []

    def stop(delivery: Delivery) -> None:
        handed.append(delivery)
        raise KeyboardInterrupt

    for courier in (stop, stop):
        with pytest.raises(KeyboardInterrupt):
            telling.notify_reporters(world.database, courier)
        world.clock.forward(seconds=61)  # another worker takes over
    assert telling.notify_reporters(world.database, handed.append) == 1
    ask(world, receipt)
    assert telling.notify_reporters(world.database, handed.append) == 1
    assert telling.notify_reporters(world.database, handed.append) == 0
    first, second, third, next_one = [delivery.id for delivery in handed]
    assert first == second == third
    assert next_one != first
    drawn = world.database.read(lambda u: u.db.get_one(Report, receipt.report_id).notice_id)
    assert drawn
    assert drawn not in next_one  # the gateway's log cannot be joined with the row


def test_what_comes_up_while_a_reporter_is_told_is_told_as_well(world: World) -> None:
    receipt = taken_in(world)
    ask(world, receipt)
    handed: list[str] = []

    def hand_over(delivery: Delivery) -> None:
        handed.append(delivery.id)
        if len(handed) == 1:
            ask(world, receipt)

    assert (
        telling.notify_reporters(world.database, hand_over) == 0
    )  # its mark stays for the newer one
    assert telling.notify_reporters(world.database, hand_over) == 1
    assert telling.notify_reporters(world.database, hand_over) == 0
    assert len(set(handed)) == len(handed) == 2


def test_a_phone_that_takes_no_messages_keeps_nobody_else_waiting(world: World) -> None:
    receipts = [taken_in(world), taken_in(world, facts=FACTS + "又见一次。")]
    for receipt in receipts:
        ask(world, receipt)
    handed: list[Delivery] = []

    def hand_over(delivery: Delivery) -> None:
        handed.append(delivery)
        if len(handed) == 1:
            raise DeliveryRefused("gone")

    assert telling.notify_reporters(world.database, hand_over) == 2
    assert telling.notify_reporters(world.database, hand_over) == 0
    assert len({delivery.id for delivery in handed}) == 2


def test_a_report_is_lodged_opened_found_and_rewarded(world: World) -> None:
    receipt = lodge(world)
    assert isinstance(receipt, ReportReceipt)
    assert (receipt.received_on, receipt.accept_by) == (date(2026, 6, 15), date(2026, 7, 7))
    assert queue(world, "JG1001") == []  # nobody sees it before it is taken in with others
    assert world.database.write(handling.take_in) == 1
    assert queue(world, "JG1001") == [receipt.number]
    seen = world.database.write(
        lambda u: handling.report(u, world._staff["JG1001"], receipt.report_id)
    )
    assert seen is not None
    assert (seen.facts, seen.institution_code, seen.real_name) == (FACTS, PHARMACY, True)
    assert seen.pseudonym.startswith("举报人")
    opened = work(world, receipt, E.OPEN)
    assert (opened.state, opened.due_on) == (S.OPENED, date(2026, 7, 28))
    assert told(world) == ["12000000001"]
    assert told(world) == []
    longer = work(world, receipt, E.EXTEND, words="案情复杂")
    assert longer.due_on == date(2026, 9, 15)
    assert work(world, receipt, E.EXTEND, words="重大").due_on == date(2026, 12, 15)
    assert work(world, receipt, E.EXTEND, words="还要") == ReportNotFound()
    found = work(world, receipt, E.FIND, true=True, value_fen=Fen(15_000_000))
    assert (found.state, found.reward) == (S.FOUND, R.WANTED)
    assert work(world, receipt, E.CONFIRM_TRUE) == ReportNotFound()  # not by whoever found it
    assert work(world, receipt, E.CONFIRM_NOT_TRUE, "JG1002") == ReportNotFound()
    back = work(world, receipt, E.SEND_BACK, "JG1002", words="补充凭证")
    assert back.state is S.OPENED
    work(world, receipt, E.FIND, true=True, value_fen=Fen(15_000_000))
    done = work(world, receipt, E.CONFIRM_TRUE, "JG1002")
    assert (done.state, done.reward, done.reward_fen) == (S.TRUE, R.OFFERED, 275_000)
    assert done.reward_by == date(2026, 8, 15)
    assert [one.event for one in mine(world, receipt).steps][-1] is E.CONFIRM_TRUE


def claim(world: World, receipt: ReportReceipt, number: str = "9901000000000001") -> Any:
    return world.do(service.claim_reward, ClaimReward(whose(receipt), "李样例", "样例银行", number))


def pay(world: World, by: str = "CD1002", voucher: str = "V1") -> Any:
    actor = world.staff(by)
    [one] = world.database.write(lambda u: handling.payouts(u, actor, 9))
    return one, world.do(handling.note_payout, NotePayout(actor, one.id, voucher))


def test_a_reward_is_claimed_paid_and_taken_back(world: World) -> None:
    receipt = taken_in(world)
    assert claim(world, receipt) == ReportNotFound()
    assert proven(world, receipt).reward_fen == 20_000  # the least: 2 % of 5,000 yuan is 100
    assert claim(world, receipt, "12") == PayoutInvalid()
    assert claim(world, receipt).reward is R.CLAIMED
    assert claim(world, receipt) == ReportNotFound()
    zigong = world.staff("ZG1001")
    assert world.database.write(lambda u: handling.payouts(u, zigong, 9)) == []
    one, paid = pay(world)
    assert (one.amount_fen, one.holder, one.number) == (20_000, "李样例", "9901000000000001")
    assert paid.voucher == "V1"
    again = NotePayout(world.staff("CD1002"), one.id, "V2")
    assert world.do(handling.note_payout, again) == PayoutNotFound()
    assert world.do(handling.note_payout, NotePayout(zigong, one.id, "V2")) == DutyMissing(
        Role.CHECKER
    )
    assert mine(world, receipt).reward is R.PAID
    taken = ClawBack(world.staff("CD1003"), receipt.report_id, "材料系伪造")
    assert world.do(handling.claw_back, taken).reward is R.CLAWED_BACK
    assert world.do(handling.claw_back, taken) == ReportNotFound()
    assert mine(world, receipt).messages[-1].words == "材料系伪造"


def test_a_reward_may_be_waived_and_runs_out(world: World) -> None:
    waived, late, not_wanted = (
        taken_in(world, "worker"),
        taken_in(world, "worker_2"),
        taken_in(world, "worker_3", wants_reward=False),
    )
    for one in (waived, late, not_wanted):
        proven(world, one)
    assert mine(world, not_wanted).reward is R.NOT_WANTED
    done = world.do(service.waive_reward, ChangeReport(whose(waived), ""))
    assert done.reward is R.WAIVED
    world.clock.forward(days=62)
    world._staff.clear()
    assert claim(world, late) == ReportNotFound()
    assert service.expire_rewards(world.database) == 1
    assert mine(world, late).reward is R.EXPIRED
    assert claim(world, late) == ReportNotFound()


@pytest.mark.parametrize(
    ("value", "reward"),
    [
        (500_000, 20_000),
        (1_000_000, 20_000),
        (1_000_100, 20_002),
        (10_000_000, 200_000),
        (10_000_100, 200_002),
        (100_000_000, 1_550_000),
        (150_000_000, 2_050_000),
        (1_000_000_000, 10_550_000),
        (2_000_000_000, 15_550_000),
        (2_890_000_000, 20_000_000),
        (2_890_000_100, 20_000_000),
        (9_000_000_000, 20_000_000),
    ],
)
def test_rewards_by_sichuans_brackets(value: int, reward: int) -> None:
    """Up to 100,000 yuan 2 %, then 1.5 %, above a million 1 %, above ten 0.5 %; 200 to 200,000 yuan."""
    assert reward_for("510104", Fen(value), date(2026, 6, 15)) == reward


def test_what_is_not_taken_up_or_not_true_is_looked_at_again_by_others(world: World) -> None:
    one, two = taken_in(world), taken_in(world, "worker_2")
    declined = work(world, one, E.DECLINE, words="线索不具体")
    assert (declined.state, declined.reward, declined.due_on) == (S.NOT_ACCEPTED, R.NONE, None)
    assert world.do(service.appeal, ChangeReport(whose(one), " ")) == ReportWordsMissing()
    asked = world.do(service.appeal, ChangeReport(whose(one), "附上照片，请复查"))
    assert asked.state is S.APPEALED
    assert queue(world, "JG1001") == [two.number]
    assert sorted(queue(world, "JG5101")) == sorted([one.number, two.number])
    assert work(world, one, E.OVERTURN) == DutyMissing(Role.INSPECTOR)
    again = work(world, one, E.OVERTURN, "JG5101", words="线索成立")
    assert again.state is S.OPENED
    assert proven_again(world, one).reward is R.OFFERED
    work(world, two, E.OPEN, "JG5101")
    work(world, two, E.FIND, "JG5102")
    assert work(world, two, E.CONFIRM_NOT_TRUE, "JG5101").state is S.NOT_TRUE
    world.do(service.appeal, ChangeReport(whose(two), "不服"))
    assert work(world, two, E.UPHOLD, "JG5101") == ReportNotFound()  # who confirmed it
    assert work(world, two, E.UPHOLD, "JG5102").state is S.UPHELD
    assert world.do(service.appeal, ChangeReport(whose(two), "还不服")) == ReportNotFound()


def proven_again(world: World, one: Any) -> Any:
    work(world, one, E.FIND, true=True, value_fen=Fen(500_000))
    return work(world, one, E.CONFIRM_TRUE, "JG1002")


def test_a_report_goes_to_whom_it_concerns_and_never_to_the_accused(world: World) -> None:
    person = taken_in(world, institution_code="", target="某某", region="510300")
    assert queue(world, "JG1001") == []
    moved = work(world, person, E.TRANSFER, "JG5101", region="510104", words="属地")
    assert (moved.state, queue(world, "JG1001")) == (S.RECEIVED, [person.number])
    assert work(world, person, E.TRANSFER, region="110000") == ReportNotFound()
    agency = taken_in(
        world, "worker_2", kind=ReportKind.AGENCY, target="某经办", staff_number="JG5102"
    )
    assert agency.number not in queue(world, "JG1001") + queue(world, "JG5102")
    assert agency.number in queue(world, "JG5101")
    assert work(world, agency, E.OPEN, "JG5102") == ReportNotFound()
    for by, missing in (("CD1001", Role.INSPECTOR), ("ZG1001", Role.INSPECTOR)):
        assert work(world, person, E.OPEN, by) == DutyMissing(missing)
    assert work(world, person, E.OPEN, words=" ") == ReportWordsMissing()
    assert work(world, person, E.TAKE_IN) == ReportNotFound()
    till = WorkReport(world.terminal(), person.report_id, E.OPEN, "x")
    assert world.do(handling.work, till) == SignInRequired()
    assert queue(world, "CD1001") == []


def test_reporter_and_inspector_speak_without_a_name(world: World) -> None:
    receipt = taken_in(world)
    asking = AskReporter(world.staff("JG1001"), receipt.report_id, "有照片吗？")
    assert world.do(handling.ask, asking).messages[-1].by is MessageBy.HANDLER
    assert told(world) == ["12000000001"]
    said = SayOfReport(whose(receipt), "有，已上传。店长威胁我。", True)
    assert world.do(service.say_of_report, said).messages[-1].by is MessageBy.REPORTER
    other = taken_in(world, "worker_2")
    assert queue(world, "JG1001") == [receipt.number, other.number]  # who is threatened first
    nobody = Whose(Anonymous(), "", "AAAA")
    for stranger in (nobody, Whose(world.actor("worker_3"), receipt.report_id, "")):
        assert world.do(service.say_of_report, SayOfReport(stranger, "x", False)) == (
            ReportNotFound()
        )
    own = Whose(world.actor("worker"), receipt.report_id, "")
    assert world.do(service.say_of_report, SayOfReport(own, "", False)) == ReportWordsMissing()
    [shown] = world.database.read(lambda u: service.own_reports(u, world.actor("worker")))
    assert shown.number == receipt.number
    world.clock.forward(seconds=12 * 3600)  # ten at night
    world.do(handling.ask, asking)
    assert told(world) == []


def test_who_gives_no_name_keeps_the_secret_and_gets_the_reward_too(world: World) -> None:
    receipt = taken_in(world, "")
    assert not mine(world, receipt).real_name
    assert proven(world, receipt).reward is R.OFFERED
    assert world.database.read(telling.reports_due) == [receipt.report_id]
    assert told(world) == []  # no phone is known: they look for themselves
    assert world.database.read(telling.reports_due) == []
    assert claim(world, receipt).reward is R.CLAIMED
    asking = AskUnmasking(world.staff("JG1001"), receipt.report_id, "需要询问")
    assert world.do(handling.ask_unmasking, asking) == UnmaskingNotPossible()
    spaced = Whose(Anonymous(), "", receipt.secret.lower().replace("-", " "))
    assert isinstance(world.database.read(lambda u: service.view_own(u, spaced)), ReportView)


def test_a_report_may_be_withdrawn_before_it_is_opened(world: World) -> None:
    one, two = taken_in(world), taken_in(world, "worker_2")
    gone = world.do(service.withdraw, ChangeReport(whose(one), "弄错了"))
    assert (gone.state, gone.reward) == (S.WITHDRAWN, R.NONE)
    assert queue(world, "JG1001") == [two.number]
    work(world, two, E.OPEN)
    assert world.do(service.withdraw, ChangeReport(whose(two), "")) == ReportNotFound()


def test_what_is_too_little_to_look_into_is_said_at_once(world: World) -> None:
    for problem, changes in {
        ReportProblem.TARGET: {"institution_code": ""},
        ReportProblem.INSTITUTION: {"institution_code": "P99999999999"},
        ReportProblem.FACTS: {"facts": "有问题"},
        ReportProblem.LENGTH: {"facts": "多" * 4001},
        ReportProblem.REGION: {"institution_code": "", "target": "x", "region": "110101"},
    }.items():
        assert lodge(world, **changes) == ReportNotPossible(problem)
    assert lodge(world, institution_code="H11010100001") == ReportNotPossible(ReportProblem.REGION)
    assert lodge(world, "", real_name=True) == SignInRequired()
    assert lodge(world, request_id="") == RequestKeyInvalid("")
    key = new_key()
    first = lodge(world, request_id=key)
    assert lodge(world, request_id=key) == first
    for _ in range(world.settings.anonymous_reports_per_address_per_day):
        assert isinstance(lodge(world, ""), ReportReceipt)
    assert lodge(world, "") == TooManyReports()
    assert isinstance(lodge(world, "", address="10.0.0.2"), ReportReceipt)
    for _ in range(19):
        lodge(world)
    assert lodge(world) == TooManyReports()


def photo() -> bytes:
    picture = Image.new("RGB", (800, 600), "white")
    exif = Image.Exif()
    exif[Base.Artist] = "李样例"
    kept = io.BytesIO()
    picture.save(kept, format="JPEG", exif=exif)
    return kept.getvalue()


def evidence_of(content: bytes) -> MaterialFile:
    file = service.read_evidence(content)
    assert isinstance(file, MaterialFile), file
    return file


def test_evidence_is_cleaned_sealed_and_hashed(world: World) -> None:
    receipt = taken_in(world)
    added = world.do(service.add_evidence, AddEvidence(whose(receipt), evidence_of(photo())))
    assert isinstance(added, EvidenceView)
    assert (added.name, added.content_type) == ("evidence-1.jpg", "image/jpeg")
    inspector = world.staff("JG1001")
    found = world.database.write(lambda u: handling.evidence(u, inspector, added.id))
    assert found is not None
    content = found[2]
    assert "李样例".encode() not in content
    assert not Image.open(io.BytesIO(content)).getexif()
    for actor in (world.staff("CD1001"), world.terminal(), world.actor("worker")):
        assert world.database.write(lambda u, a=actor: handling.evidence(u, a, added.id)) is None
    assert service.read_evidence(b"MZ") == EvidenceUnfit(EvidenceProblem.TYPE)
    nobody = AddEvidence(Whose(Anonymous(), "", "A"), evidence_of(photo()))
    assert world.do(service.add_evidence, nobody) == ReportNotFound()
    proven(world, receipt)
    late = AddEvidence(whose(receipt), evidence_of(photo()))
    assert world.do(service.add_evidence, late) == EvidenceUnfit(EvidenceProblem.CLOSED)


def test_two_people_are_needed_to_learn_who_reported(world: World) -> None:
    receipt = taken_in(world)
    inspector, other = world.staff("JG1001"), world.staff("JG5102")
    asked = world.do(
        handling.ask_unmasking, AskUnmasking(inspector, receipt.report_id, "需当面询问")
    )
    assert asked.state is UnmaskState.ASKED
    look = ReadReporter(inspector, asked.id)
    assert world.do(handling.read_reporter, look) == UnmaskingNotPossible()

    def decide(by: str, grant: bool = True) -> Any:
        command = DecideUnmasking(world.staff(by), asked.id, grant, "同意")
        return world.do(handling.decide_unmasking, command)

    assert decide("CD1003") == DutyMissing(Role.SUPERVISOR)
    assert decide("JG1001") == DutyMissing(Role.SUPERVISOR)
    listed = world.database.read(lambda u: handling.unmaskings(u, other, 9))
    assert [one.id for one in listed] == [asked.id]
    assert decide("JG5102").state is UnmaskState.GRANTED
    assert decide("JG5102", False) == UnmaskingNotPossible()
    assert world.do(handling.read_reporter, ReadReporter(other, asked.id)) == (
        UnmaskingNotPossible()
    )
    known = world.database.read(lambda u: people.particulars(u, world.person("worker")))
    assert world.do(handling.read_reporter, look) == ReporterView(
        known.name, known.id_number, known.phone
    )
    assert "两人审批" in mine(world, receipt).messages[-1].words
    assert told(world) == ["12000000001"]
    world.clock.forward(seconds=86_400)
    world._staff.clear()
    late = ReadReporter(world.staff("JG1001"), asked.id)
    assert world.do(handling.read_reporter, late) == UnmaskingNotPossible()


def test_whoever_asks_to_learn_it_cannot_grant_it(world: World) -> None:
    receipt = taken_in(world)
    both = world.staff("JG5102")
    asked = world.do(handling.ask_unmasking, AskUnmasking(both, receipt.report_id, "需要"))
    alone = DecideUnmasking(both, asked.id, True, "同意")
    assert world.do(handling.decide_unmasking, alone) == UnmaskingNotPossible()


def test_findings_are_published_without_a_trace(world: World) -> None:
    receipt = taken_in(world)
    supervisor = world.staff("CD1003")
    summary = PublishFinding(supervisor, receipt.report_id, "该店串换药品，已追回并处罚。")
    assert world.do(handling.publish, summary) == ReportNotFound()
    proven(world, receipt)
    assert world.do(handling.publish, PublishFinding(world.staff("JG1001"), "x", "x")) == (
        DutyMissing(Role.SUPERVISOR)
    )
    assert isinstance(world.do(handling.publish, summary), ReportView)
    assert world.do(handling.publish, summary) == ReportNotFound()
    [shown] = world.database.read(lambda u: queries.published(u, "510100", 9))
    assert (shown.month, shown.value_fen) == ("2026-06", 500_000)
    said = json.dumps(vars(shown), ensure_ascii=False)
    for trace in (receipt.number, receipt.report_id, mine(world, receipt).pseudonym):
        assert trace not in said


# -- the attacker ----------------------------------------------------------------------------------


def _rows(unit: Unit) -> dict[str, set[tuple[Any, ...]]]:
    names = inspect(unit.db.connection()).get_table_names()
    return {
        name: {
            tuple(str(cell) for cell in row)
            for row in unit.db.connection().execute(text(f"SELECT * FROM {name}")).all()
        }
        for name in names
    }


def _opened(unit: Unit, cell: str, contexts: list[str]) -> str:
    """Return what a sealed cell says to whoever has the ordinary keys, else the cell itself."""
    for context in contexts:
        try:
            return unit.vault.open(cell, context)
        except (SealBroken, ValueError):
            continue
    return cell


def test_who_reads_the_database_with_every_other_key_cannot_tell_who_reported(
    world: World,
) -> None:
    """The whole life of a report, read by a thief who has every key but the reporters'."""
    actor = world.actor("worker")
    world.staff("JG1001"), world.staff("JG1002"), world.staff("CD1002")
    before = world.database.read(_rows)
    receipt = taken_in(world)
    world.do(service.add_evidence, AddEvidence(whose(receipt), evidence_of(photo())))
    world.do(service.say_of_report, SayOfReport(whose(receipt), "补充线索", True))
    proven(world, receipt)
    told(world)
    claim(world, receipt)
    pay(world)
    after = world.database.read(_rows)
    new = {
        name: rows - before.get(name, set())
        for name, rows in after.items()
        if rows - before.get(name, set())
    }
    assert {"report", "reporter", "report_evidence", "reward_payout", "report_step"} <= set(new)
    assert not {"idempotency_record", "outbox_message", "proxy_act"} & set(new)

    def clues(unit: Unit) -> list[str]:
        known = people.particulars(unit, world.person("worker"))
        plain = [known.name, known.id_number, known.phone, "9901000000000001"]
        named = [world.person("worker"), actor.session_id]
        indexes = [
            unit.vault.index(value, purpose)
            for value in (*plain, *named)
            for purpose in ("phone", "id_number", "owner", "report", "request", "document")
        ]
        return [*plain, *named, *indexes]

    def read(unit: Unit) -> None:
        contexts = [f"report:{receipt.report_id}", f"receipt:{receipt.report_id}"]
        for name, row in ((name, row) for name, rows in new.items() for row in rows):
            keyed = [f"reporter:{row[0]}", f"payout:{row[1]}"] if len(row) > 1 else []
            said = " ".join(_opened(unit, cell, [*contexts, *keyed]) for cell in row)
            for clue in clues(unit):
                assert clue not in said, f"{name} tells {clue}"

    world.database.read(read)
    # neither does any hour: what the reporter did bears days, and ids that were drawn
    for name in ("report", "report_message", "report_evidence", "reporter", "reward_payout"):
        for cell in itertools.chain.from_iterable(new[name]):
            assert ":" not in cell or not cell.startswith("2026-06-15 "), (name, cell)
    lines = {row for row in new.get("audit_line", set()) if "report" in " ".join(row)}
    assert lines  # staff are written down, and whoever reports is not
    assert all("person:" not in " ".join(row) for row in lines)


def test_the_reporters_ring_alone_opens_it(world: World) -> None:
    receipt = taken_in(world)
    assert world.database.read(lambda u: identities.reporter_of(u, receipt.report_id)) is not None
    ordinary = world.database.resources.vault

    def sealed(unit: Unit) -> tuple[str, str]:
        row = unit.db.connection().execute(text("SELECT report_index, sealed FROM reporter")).one()
        return str(row[0]), str(row[1])

    index, value = world.database.read(sealed)
    with pytest.raises(SealBroken):
        ordinary.open(value, f"reporter:{index}")
    assert ordinary.index(receipt.report_id, "report") != index


def test_a_till_reports_like_anybody_else_and_is_not_written_down(world: World) -> None:
    till = world.terminal()
    assert isinstance(till, TerminalActor)
    command = LodgeReport(
        till, False, ReportKind.CASH_OUT, PHARMACY, "", "", "", "", FACTS, False, new_key()
    )
    receipt = world.do(service.lodge, command)
    assert isinstance(receipt, ReportReceipt)
    with_name = LodgeReport(
        till, True, ReportKind.CASH_OUT, PHARMACY, "", "", "", "", FACTS, False, new_key()
    )
    assert world.do(service.lodge, with_name) == SignInRequired()
    days = timedelta(days=30)
    world.clock.forward(seconds=days.total_seconds())
    world.database.write(handling.take_in)
    assert mine(world, receipt).overdue
