"""手工报销 from the phone: the whole life of a claim, and each way in which it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.applications import service as applications
from backend.claims import applying, queries
from backend.claims.applying import CLAIM
from backend.claims.contracts import (
    ChangePayoutAccount,
    ClaimForm,
    ClaimInvalid,
    ClaimLine,
    ClaimProblem,
    ClaimReason,
    ClaimView,
    InvoiceClaimed,
    PayoutAccount,
)
from backend.desk import queries as desk_queries
from backend.desk import service as desk
from backend.desk.contracts import (
    ActKind,
    DecideMatter,
    DecideProposal,
    MatterDecision,
    Payload,
    ProposalState,
    ProposalView,
    Propose,
    ProposedAlready,
    ReckonedOtherwise,
    RecordPayout,
    SecondPersonNeeded,
    WordsMissing,
)
from backend.kernel.money import Fen
from backend.ledger import queries as ledger
from backend.matters import procedure
from backend.matters import queries as matters
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationNotPossible,
    ApplyProblem,
    MaterialsMissing,
    MatterKind,
    MatterNotFound,
    MatterState,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.settlement.case import CareKind
from tests.usecases.test_claims import booked as booked_at_console
from tests.usecases.test_claims import claim, fee, owed_to
from tests.usecases.test_claims import reverse as take_back
from tests.usecases.test_filings import add, picture
from tests.usecases.test_safety import messages
from tests.world import BEIJING, LEVEL_3, World, new_key

HERS = PayoutAccount("样例", "样例银行成都分行", "9901000000000001")
STAY = ClaimForm(
    reason=ClaimReason.NOT_FILED,
    institution_code=BEIJING,
    care=CareKind.INPATIENT,
    first=date(2026, 6, 1),
    last=date(2026, 6, 10),
    disease="",
    emergency=False,
    injury=False,
    invoices=("11010026A0000001",),
    total_fen=Fen(180_000),
    account=HERS,
)
PAPERS = (Requirement.INVOICE, Requirement.FEE_LIST, Requirement.RECORDS)


def save(world: World, who: str = "retiree", **changes: Any) -> Any:
    form = replace(STAY, **changes)
    command = SaveApplication(world.actor(who), world.person(who), None, None, form, new_key())
    return world.do(lambda u, c: procedure.save(u, CLAIM, c), command)


def submit(world: World, matter_id: str, who: str = "retiree") -> Any:
    return world.do(
        applications.submit, SubmitApplication(world.actor(who), matter_id, False, new_key())
    )


def papers(world: World, matter_id: str, who: str = "retiree", *more: Requirement) -> None:
    for shade, one in enumerate((*PAPERS, *more)):
        add(world, matter_id, picture(shade=100 + shade), requirement=one, by=who)


def submitted(world: World, who: str = "retiree", **changes: Any) -> Any:
    draft = save(world, who, **changes).matter
    papers(world, draft.id, who)
    return submit(world, draft.id, who).matter


def reckon(
    world: World, matter_id: str, *lines: ClaimLine, by: str = "CD1001", words: str = "发票相符"
) -> Any:
    payload = Payload(matter_id, lines=lines or (fee("1800.00"),))
    return world.do(desk.propose, Propose(world.staff(by), ActKind.CLAIM, payload, words))


def confirm(world: World, proposal_id: str, by: str = "CD1002") -> Any:
    return world.do(desk.confirm, DecideProposal(world.staff(by), proposal_id))


def booked(world: World, matter_id: str) -> Any:
    proposal = reckon(world, matter_id)
    assert isinstance(proposal, ProposalView), proposal
    done = confirm(world, proposal.id)
    assert isinstance(done, ProposalView), done
    return done


def pay(
    world: World, matter_id: str, paid: bool = True, words: str = "", by: str = "CD1002"
) -> Any:
    return world.do(desk.record_payout, RecordPayout(world.staff(by), matter_id, paid, words))


def now(world: World, matter_id: str) -> Any:
    found = world.database.read(lambda u: matters.matter(u, matter_id))
    assert found is not None
    return found


def sum_of(world: World, account: str) -> int:
    return world.database.read(lambda u: ledger.sum_of(u, account))


def test_handed_in_reckoned_booked_by_a_second_and_paid_out(world: World) -> None:
    draft = save(world)
    assert (draft.missing, draft.workdays) == (PAPERS, 20)
    assert submit(world, draft.matter.id) == MaterialsMissing(PAPERS)
    papers(world, draft.matter.id)
    matter = submit(world, draft.matter.id).matter
    assert (matter.state, matter.due_on) == (MatterState.SUBMITTED, date(2026, 7, 14))
    money = world.money()
    proposal = reckon(world, matter.id)
    assert (proposal.payload.total_fen, proposal.payload.payable_fen) == (180_000, 79_000)
    assert world.money() == money  # it was tried, and nothing is booked
    assert now(world, matter.id).state is MatterState.RECHECK
    assert confirm(world, proposal.id, "CD1001").code() in ("DUTY_MISSING", "SECOND_PERSON_NEEDED")
    assert confirm(world, proposal.id).state is ProposalState.CONFIRMED
    after = now(world, matter.id)
    assert after.state is MatterState.APPROVED
    assert owed_to(world, "retiree") == 79_000
    listed = world.database.read(lambda u: desk_queries.work(u, world._staff["CD1002"], 5))
    assert [one.matter.id for one in listed.unpaid] == [matter.id]
    paid = pay(world, matter.id)
    assert paid.matter.state is MatterState.PAID
    assert (owed_to(world, "retiree"), sum_of(world, "paid_out:510100")) == (0, 79_000)
    assert pay(world, matter.id) == MatterNotFound()
    assert messages(world)[-1][0] == "matter_pay"
    claims = world.database.read(
        lambda u: applying.by_matter(
            u, matters.of_kind(u, world.person("retiree"), MatterKind.CLAIM, 5)
        )
    )
    assert claims[matter.id].id == after.result_id
    assert world.faults() == []


def test_what_the_bank_sends_back_waits_for_another_account(world: World) -> None:
    matter = submitted(world)
    booked(world, matter.id)
    assert pay(world, matter.id, False) == WordsMissing()
    assert pay(world, matter.id, False, "户名与账号不符").matter.state is MatterState.PAY_FAILED
    assert owed_to(world, "retiree") == 79_000
    wrong = ChangePayoutAccount(world.actor("retiree"), matter.id, replace(HERS, number="12"))
    assert world.do(applying.change_account, wrong) == ClaimInvalid((ClaimProblem.ACCOUNT,))
    other = replace(HERS, number="9901000000000002")
    stranger = ChangePayoutAccount(world.actor("worker"), matter.id, other)
    assert type(world.do(applying.change_account, stranger)).__name__ == "NotPermitted"
    changed = ChangePayoutAccount(world.actor("retiree"), matter.id, other)
    assert world.do(applying.change_account, changed).state is MatterState.APPROVED
    assert CLAIM.read(now(world, matter.id)).account == other
    assert world.do(applying.change_account, changed) == MatterNotFound()
    assert pay(world, matter.id).matter.state is MatterState.PAID


def test_who_checks_may_return_it_to_be_reckoned_anew(world: World) -> None:
    matter = submitted(world)
    proposal = reckon(world, matter.id)
    assert isinstance(reckon(world, matter.id), ProposedAlready)
    world.do(desk.withdraw, DecideProposal(world.staff("CD1002"), proposal.id))
    assert now(world, matter.id).state is MatterState.SUBMITTED
    outside = replace(fee("500.00", code=""), name="陪护费")
    again = reckon(world, matter.id, fee("1800.00"), outside)
    assert (again.payload.total_fen, again.payload.payable_fen) == (230_000, 79_000)


def test_what_comes_out_otherwise_meanwhile_is_not_booked(world: World) -> None:
    matter = submitted(world)
    proposal = reckon(world, matter.id)
    before = claim(world, invoices=("11010026A0000050",), institution_code=LEVEL_3)
    booked_at_console(world, before)  # the year has used one deductible more since
    money = world.money()
    outcome = confirm(world, proposal.id)
    assert isinstance(outcome, ReckonedOtherwise)
    assert outcome.payable_fen != 79_000
    assert world.money() == money
    assert now(world, matter.id).state is MatterState.RECHECK


def test_one_person_never_does_both(world: World) -> None:
    matter = submitted(world)
    proposal = reckon(world, matter.id, by="CD1002")
    assert confirm(world, proposal.id, "CD1002") == SecondPersonNeeded()
    assert confirm(world, proposal.id, "CD1003").state is ProposalState.CONFIRMED


def test_it_is_asked_for_papers_refused_and_appealed(world: World) -> None:
    matter = submitted(world)

    def decides(decision: str, by: str = "CD1001") -> Any:
        command = DecideMatter(world.staff(by), matter.id, MatterDecision(decision), "缺明细第二页")
        return world.do(desk.decide_matter, command)

    assert decides("APPROVE") == MatterNotFound()  # what is paid is reckoned, never just approved
    assert decides("ASK").matter.state is MatterState.SUPPLEMENT
    assert reckon(world, matter.id) == MatterNotFound()
    assert submit(world, matter.id).matter.state is MatterState.SUBMITTED
    assert decides("REJECT").matter.state is MatterState.REJECTED
    appeal = ActOnMatter(world.actor("retiree"), matter.id, "已补齐")
    assert world.do(applications.appeal, appeal).state is MatterState.SUBMITTED
    gone = world.do(applications.withdraw, ActOnMatter(world.actor("retiree"), matter.id))
    assert gone.state is MatterState.WITHDRAWN


def test_an_invoice_is_handed_in_once(world: World) -> None:
    first = submitted(world)
    again = save(world).matter
    papers(world, again.id)
    assert submit(world, again.id) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    booked(world, first.id)
    assert save(world) == InvoiceClaimed(("11010026A0000001",))
    # two who hand in the same invoice: the second is found when it is reckoned
    booked_at_console(world, claim(world, "worker_2", invoices=("11010026A0000060",)))
    other = save(world, "worker", invoices=("11010026A0000060",))
    assert other == InvoiceClaimed(("11010026A0000060",))


def test_an_injury_says_how_it_came_about(world: World) -> None:
    draft = save(world, injury=True)
    assert draft.missing == (*PAPERS, Requirement.INJURY_STATEMENT)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"last": date(2026, 6, 16)}, ClaimProblem.DATES),
        ({"care": CareKind.OUTPATIENT}, ClaimProblem.ONE_DAY),
        ({"invoices": ()}, ClaimProblem.INVOICES),
        ({"invoices": ("x",)}, ClaimProblem.INVOICE_NUMBER),
        ({"total_fen": Fen(0)}, ClaimProblem.TOTAL),
        ({"institution_code": "H0"}, ClaimProblem.INSTITUTION),
        ({"account": replace(HERS, number="62A")}, ClaimProblem.ACCOUNT),
        ({"account": replace(HERS, holder=" ")}, ClaimProblem.ACCOUNT),
        (
            {"care": CareKind.CHRONIC, "first": date(2026, 6, 10)},
            ClaimProblem.DISEASE,
        ),
    ],
)
def test_what_is_wrong_with_the_form_is_named(
    world: World, changes: dict[str, Any], problem: ClaimProblem
) -> None:
    assert save(world, **changes) == ClaimInvalid((problem,))


def test_what_cannot_be_reckoned_leaves_the_claim_where_it_was(world: World) -> None:
    matter = submitted(world)
    wrong = reckon(world, matter.id, fee("1.00", code="NO"))
    assert wrong == ClaimInvalid((ClaimProblem.LINE_CODE,), (1,))
    assert reckon(world, matter.id, words=" ") == WordsMissing()
    assert now(world, matter.id).state is MatterState.SUBMITTED
    assert reckon(world, matter.id, by="ZG1001").code() == "DUTY_MISSING"


def test_the_area_is_told_that_a_claim_is_late_and_decides(world: World) -> None:
    assert not applying.is_late(STAY, "510100", date(2026, 10, 10))
    assert applying.is_late(STAY, "510100", date(2026, 10, 11))
    assert world.database.read(lambda u: queries.claims(u, [])) == []


def test_what_was_taken_back_is_not_paid_out(world: World) -> None:
    matter = submitted(world)
    booked(world, matter.id)
    claim_id = now(world, matter.id).result_id
    assert isinstance(take_back(world, claim_id), ClaimView)
    assert pay(world, matter.id) == MatterNotFound()
    assert now(world, matter.id).state is MatterState.APPROVED
    assert sum_of(world, "paid_out:510100") == 0
