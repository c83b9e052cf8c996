"""异地就医备案 from the draft to what a hospital elsewhere sees, on real databases."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from backend.access.contracts import DutyMissing, NotPermitted, Operator, Role, SignInRequired
from backend.applications import service as applications
from backend.desk import papers
from backend.filings import queries, service, uploads
from backend.filings.contracts import (
    AwayKind,
    CancelFiling,
    FilingApplication,
    FilingForm,
    FilingNotFound,
    FilingNotPossible,
    FilingProblem,
    FilingRoute,
    FilingState,
    PromiseLocked,
    UploadAnswered,
)
from backend.infra.idempotency import RequestKeyReused
from backend.institutions import queries as institutions
from backend.matters import materials, workdays
from backend.matters import queries as matters
from backend.matters import service as matter_service
from backend.matters.contracts import (
    ActOnMatter,
    ApplicationNotPossible,
    ApplyProblem,
    MaterialsMissing,
    MaterialVerdict,
    MaterialView,
    MatterEvent,
    MatterNotFound,
    MatterState,
    RemoveMaterial,
    Requirement,
    SaveApplication,
    SubmitApplication,
)
from backend.matters.logic import due_on
from backend.matters.material_contracts import AddMaterial, MaterialFault, MaterialUnfit
from backend.matters.model import MaterialBlob
from backend.payments.direct import DirectReason, check
from backend.people.contracts import NoticeBy, SetPreferences
from backend.people.service import set_preferences
from backend.policies.contracts import AnnounceOutage, OutageNow, Service
from backend.policies.service import announce_outage
from backend.proxies.contracts import Scope
from backend.settlement import queries as settlements
from backend.settlement.case import CareKind, FilingKind
from tests.usecases.test_relatives import bound
from tests.usecases.test_safety import messages
from tests.world import BEIJING, IBUPROFEN, LEVEL_3, PHARMACY, VISIT, World, line, new_key

TODAY = date(2026, 6, 15)
PROMISED = FilingForm(AwayKind.LONG_TERM, "110100", TODAY, None, FilingRoute.PROMISE)
PROVEN = replace(PROMISED, route=FilingRoute.MATERIALS)
JOURNEY = FilingForm(AwayKind.OTHER, "110100", TODAY, None, FilingRoute.NOTHING)


def picture(width: int = 900, height: int = 700, shade: int = 200) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), (shade, shade, 210)).save(made, "JPEG")
    return made.getvalue()


def save(world: World, form: FilingForm, who: str = "worker", by: str = "", **more: Any) -> Any:
    command = SaveApplication(
        world.actor(by or who),
        world.person(who),
        more.get("matter_id"),
        more.get("enrolment_id"),
        form,
        more.get("request_id") or new_key(),
    )
    return world.do(service.save, command)


def submit(world: World, saved: Any, by: str = "worker", promise: bool = True, **more: Any) -> Any:
    command = SubmitApplication(
        world.actor(by), saved.matter.id, promise, more.get("request_id") or new_key()
    )
    return world.do(service.submit, command)


def filed(world: World, form: FilingForm = PROMISED, who: str = "worker") -> FilingApplication:
    done = submit(world, save(world, form, who), who)
    assert isinstance(done, FilingApplication), done
    return done


def add(world: World, matter_id: str, content: bytes | None = None, **more: Any) -> Any:
    file = materials.read_file(picture() if content is None else content)
    if isinstance(file, MaterialUnfit):
        return file
    command = AddMaterial(
        actor=world.actor(more.get("by", "worker")),
        matter_id=matter_id,
        requirement=more.get("requirement", Requirement.RESIDENCE_PROOF),
        name=more.get("name", "居住证.jpg"),
        file=file,
    )
    return world.do(materials.add_material, command)


def upload(world: World, taken: bool | None = True, words: str = "") -> int:
    """Play the platform: give the same answer to everything that is due."""
    due = world.database.write(uploads.take_due)
    for one in due:
        answer = UploadAnswered(one.filing_id, one.operation, taken, words)
        world.database.write(lambda u, a=answer: uploads.note_answer(u, a))
    return len(due)


def effective(world: World, form: FilingForm = PROMISED, who: str = "worker") -> str:
    done = filed(world, form, who)
    assert done.filing is not None
    assert upload(world) == 1
    return done.filing.id


def filing(world: World, filing_id: str) -> Any:
    return world.database.read(lambda u: queries.filing(u, filing_id))


def at_desk(world: World, matter_id: str, event: MatterEvent, words: str = "x") -> Any:
    def decided(unit: Any) -> Any:
        matter = matters.matter(unit, matter_id)
        if matter is None:
            return MatterNotFound()
        return applications.decide(unit, "staff:CD1001", matter, event, words)

    return world.database.write(decided)


def can(world: World, who: str = "worker", place: str = BEIJING, **more: Any) -> Any:
    def read(unit: Any) -> Any:
        found = institutions.by_code(unit, place)
        assert found is not None
        day = more.get("day", world.clock.now().date())
        return check(unit, world.person(who), found, more.get("care", CareKind.INPATIENT), day)

    return world.database.read(read)


# -- by promise ------------------------------------------------------------------------------------


def test_a_promise_is_told_before_it_is_made_and_counts_once_the_platform_has_it(
    world: World,
) -> None:
    saved = save(world, PROMISED)
    preview = saved.preview
    assert (preview.missing, preview.at_once, preview.workdays) == ((), True, 0)
    assert (preview.locked_until, preview.replaces, preview.provisional) == (
        date(2026, 12, 15),
        None,
        True,
    )
    assert (saved.matter.state, saved.matter.number[:10]) == (MatterState.DRAFT, "BJ20260615")
    unmade = submit(world, saved, promise=False)
    assert unmade == ApplicationNotPossible(ApplyProblem.PROMISE_NOT_MADE)
    done = submit(world, saved)
    assert (done.matter.state, done.filing.state) == (MatterState.APPROVED, FilingState.APPROVED)
    answer = can(world)
    assert DirectReason.NOT_SEEN_YET in answer.reasons
    assert upload(world) == 1
    after = filing(world, done.filing.id)
    assert (after.state, after.effective_at) == (FilingState.EFFECTIVE, world.clock.now())
    matter = world.database.read(lambda u: matters.matter(u, saved.matter.id))
    assert matter is not None
    assert (matter.state, matter.result_id) == (MatterState.EFFECTIVE, after.id)
    assert [step.event.value for step in matter.steps] == ["APPROVE_AT_ONCE", "TAKE_EFFECT"]
    assert [kind for kind, _ in messages(world)][-2:] == [
        "matter_approve_at_once",
        "matter_take_effect",
    ]
    now = can(world)
    assert (now.can, DirectReason.FILED in now.reasons) == (True, True)
    assert now.rate > answer.rate
    assert answer.rate_if_filed == now.rate
    assert upload(world) == 0


def test_a_failed_upload_is_told_tried_again_and_then_counts(world: World) -> None:
    done = filed(world)
    for number, taken in enumerate((None, False, None)):
        assert upload(world, taken, "维护中") == 1, number
        assert filing(world, done.filing.id).state is FilingState.UPLOAD_FAILED
        assert upload(world) == 0  # not before its time
        world.clock.forward(minutes=11)
    assert [kind for kind, _ in messages(world)].count("filing_upload_failed") == 1
    assert not any(reason is DirectReason.FILED for reason in can(world).reasons)
    assert upload(world) == 1
    assert filing(world, done.filing.id).state is FilingState.EFFECTIVE


def test_an_answer_that_comes_late_or_twice_changes_nothing(world: World) -> None:
    done = filed(world)
    [due] = world.database.write(uploads.take_due)
    said = UploadAnswered(due.filing_id, "FILE", True)
    assert world.database.write(lambda u: uploads.note_answer(u, said))
    assert not world.database.write(lambda u: uploads.note_answer(u, said))
    late = UploadAnswered(due.filing_id, "FILE", False, "x")
    assert not world.database.write(lambda u: uploads.note_answer(u, late))
    assert filing(world, done.filing.id).state is FilingState.EFFECTIVE
    assert due.body["psn_cert_type"] == "01"
    assert (due.body["mdtrtarea_admdvs"], due.body["enddate"]) == ("110100", "")


def test_a_promise_locks_until_its_day_and_proof_unlocks_it(world: World) -> None:
    first = effective(world)
    elsewhere = replace(PROMISED, area_code="310100")
    refused = submit(world, save(world, elsewhere))
    assert refused == PromiseLocked(date(2026, 12, 15), first)
    cancelled = world.do(service.cancel, CancelFiling(world.actor("worker"), first))
    assert cancelled.filing.state is FilingState.EFFECTIVE  # proof is asked for
    again = world.do(service.cancel, CancelFiling(world.actor("worker"), first))
    assert again.application.id == cancelled.application.id
    draft = FilingApplication(cancelled.application, PROMISED, None, None)
    assert submit(world, draft) == MaterialsMissing((Requirement.RETURN_PROOF,))
    add(world, cancelled.application.id, requirement=Requirement.RETURN_PROOF)
    waits = submit(world, draft)
    assert waits.matter.state is MatterState.SUBMITTED
    decided = at_desk(world, waits.matter.id, MatterEvent.APPROVE)
    assert decided.state is MatterState.EFFECTIVE
    assert filing(world, first).state is FilingState.CANCELLED
    assert upload(world) == 1  # the platform is told of the end


@pytest.mark.parametrize(("days", "free"), [(-1, False), (0, True)])
def test_the_last_locked_day_and_the_first_free_one(world: World, days: int, free: bool) -> None:
    first = effective(world)
    lock = datetime(2026, 12, 15, tzinfo=UTC) - timedelta(hours=8)  # midnight in Chengdu
    world.clock.instant = lock + timedelta(days=days, minutes=1)
    world._actors.clear()
    cancelled = world.do(service.cancel, CancelFiling(world.actor("worker"), first))
    assert (cancelled.application is None) is free
    state = FilingState.CANCELLED if free else FilingState.EFFECTIVE
    assert filing(world, first).state is state


def test_a_change_with_papers_replaces_the_promise_on_the_day_before_it_begins(
    world: World,
) -> None:
    first = effective(world)
    moved = replace(PROVEN, area_code="310100", starts=date(2026, 6, 20))
    saved = save(world, moved)
    assert saved.preview.missing == (Requirement.RESIDENCE_PROOF,)
    assert saved.preview.replaces.id == first
    add(world, saved.matter.id)
    assert submit(world, saved).matter.state is MatterState.SUBMITTED
    assert at_desk(world, saved.matter.id, MatterEvent.APPROVE).state is MatterState.APPROVED
    assert filing(world, first).state is FilingState.EFFECTIVE  # until the new one counts
    assert upload(world) == 1
    old = filing(world, first)
    assert (old.state, old.ends) == (FilingState.REPLACED, date(2026, 6, 19))
    enrolment = world.enrolment("worker")

    def found(area: str, day: date) -> Any:
        return world.database.read(lambda u: queries.in_force(u, enrolment, area, day))

    assert found("110100", date(2026, 6, 19)) is not None
    assert found("110100", date(2026, 6, 20)) is None
    assert found("310100", date(2026, 6, 20)).kind is FilingKind.LONG_TERM_RESIDENT


# -- with papers -----------------------------------------------------------------------------------


def test_everything_that_is_missing_is_asked_for_once_and_the_clock_waits(world: World) -> None:
    saved = save(world, PROVEN)
    assert submit(world, saved) == MaterialsMissing((Requirement.RESIDENCE_PROOF,))
    paper = add(world, saved.matter.id)
    waits = submit(world, saved)
    assert (waits.matter.state, waits.matter.due_on) == (MatterState.SUBMITTED, date(2026, 6, 17))
    judged = world.database.write(
        lambda u: materials.judge(u, "staff:CD1001", paper.id, MaterialVerdict.REFUSED, "看不清")
    )
    assert judged.reason == "看不清"
    asked = at_desk(world, saved.matter.id, MatterEvent.ASK, "请重拍居住证")
    assert (asked.state, asked.steps[-1].words) == (MatterState.SUPPLEMENT, "请重拍居住证")
    assert messages(world)[-1][0] == "matter_ask"
    world.clock.forward(days=8)
    world._actors.clear()
    assert submit(world, saved) == MaterialsMissing((Requirement.RESIDENCE_PROOF,))
    add(world, saved.matter.id, picture(shade=90))
    back = submit(world, saved)
    assert back.matter.state is MatterState.SUBMITTED
    # 15 June was asked at once; Dragon Boat 19-21 June: two working days from 24 June on
    assert back.matter.due_on == date(2026, 6, 25)
    assert at_desk(world, saved.matter.id, MatterEvent.APPROVE).state is MatterState.APPROVED
    assert at_desk(world, saved.matter.id, MatterEvent.REJECT) == MatterNotFound()


def test_a_refusal_is_appealed_and_decided_anew(world: World) -> None:
    saved = save(world, PROVEN)
    add(world, saved.matter.id)
    submit(world, saved)
    assert at_desk(world, saved.matter.id, MatterEvent.REJECT, "材料不符").state is (
        MatterState.REJECTED
    )
    appeal = ActOnMatter(world.actor("worker"), saved.matter.id, "已补盖章")
    again = world.do(applications.appeal, appeal)
    assert (again.state, again.decided_by) == (MatterState.SUBMITTED, "staff:CD1001")
    assert world.do(applications.appeal, appeal) == MatterNotFound()
    gone = world.do(applications.withdraw, ActOnMatter(world.actor("worker"), saved.matter.id))
    assert gone.state is MatterState.WITHDRAWN
    assert submit(world, saved) == MatterNotFound()


def test_an_outage_of_the_agency_stops_filing_and_the_clock(world: World) -> None:
    saved = save(world, PROVEN)
    add(world, saved.matter.id)
    submit(world, saved)
    starts = datetime(2026, 6, 16, 0, 0, tzinfo=UTC)
    outage = AnnounceOutage(
        Operator("test"),
        "510100",
        (Service.MATTERS,),
        starts,
        starts + timedelta(days=1, hours=2),
        "升级",
        "请稍后",
    )
    world.do(announce_outage, outage)
    matter = world.database.read(lambda u: matters.matter(u, saved.matter.id))
    assert matter is not None
    assert matter.due_on == date(2026, 6, 22)  # 16 and 17 are away, 19 to 21 are holidays
    world.clock.instant = starts + timedelta(hours=1)
    world._actors.clear()
    assert isinstance(save(world, JOURNEY), OutageNow)


def test_papers_are_what_they_hold_and_kept_once(world: World) -> None:
    saved = save(world, PROVEN)
    unfit = {
        b"": MaterialFault.EMPTY,
        b"MZ\x90\x00": MaterialFault.WRONG_TYPE,
        b"<svg onload=alert(1)>": MaterialFault.WRONG_TYPE,
        b"\xff\xd8\xff\xe0broken": MaterialFault.UNREADABLE,
        b"%PDF-1.7 no end": MaterialFault.UNREADABLE,
        b"%PDF-1.7 /OpenAction << /JS (x) >> %%EOF": MaterialFault.ACTIVE_CONTENT,
        picture(300, 300): MaterialFault.TOO_SMALL_PICTURE,
        b"%PDF-" + b"0" * materials.BYTES_MAX: MaterialFault.TOO_LARGE,
    }
    for content, fault in unfit.items():
        assert add(world, saved.matter.id, content) == MaterialUnfit(fault), fault
    first = add(world, saved.matter.id, name="../../etc/passwd\x00.jpg")
    assert (first.name, first.content_type) == ("passwd_.jpg", "image/jpeg")
    assert add(world, saved.matter.id).id == first.id  # a phone that repeats itself
    other = add(world, saved.matter.id, requirement=Requirement.WORK_PROOF)
    assert other.id != first.id
    pdf = add(world, saved.matter.id, b"%PDF-1.7 plain %%EOF")
    assert pdf.content_type == "application/pdf"
    blobs = world.database.read(lambda u: u.db.exec(select(MaterialBlob.content)).all())
    assert len(blobs) == 2
    assert not any(b"JFIF" in blob or b"PDF" in blob for blob in blobs)
    gone = world.do(materials.remove_material, RemoveMaterial(world.actor("worker"), pdf.id))
    assert gone.id == pdf.id
    worker = world.actor("worker")
    found = world.database.write(lambda u: papers.read_material(u, worker, first.id))
    assert found[1] == picture()  # type: ignore[index]
    for actor, answer in (
        (world.actor("retiree"), MatterNotFound()),
        (world.terminal(), MatterNotFound()),
        (world.staff("ZG1001"), DutyMissing(Role.CLERK)),
    ):
        kind = type(answer)
        said = world.database.write(lambda u, a=actor: papers.read_material(u, a, first.id))
        assert isinstance(said, kind), actor
    clerk = world.staff("CD1001")
    looked = world.database.write(lambda u: papers.read_material(u, clerk, first.id))
    assert looked[0].id == first.id  # type: ignore[index]
    for number in range(materials.FILES_MAX - 2):
        assert not isinstance(add(world, saved.matter.id, picture(901 + number)), MaterialUnfit)
    full = add(world, saved.matter.id, picture(shade=99))
    assert full == MaterialUnfit(MaterialFault.TOO_MANY)


# -- relatives, repeats, refusals ------------------------------------------------------------------


def test_papers_of_a_day_are_bounded_and_a_repeat_costs_nothing(world: World) -> None:
    world.change_settings(materials_per_person_per_day=2)
    draft = save(world, PROVEN).matter.id
    first = add(world, draft, picture(shade=1))
    assert add(world, draft, picture(shade=1)) == first
    add(world, draft, picture(shade=2))
    assert add(world, draft, picture(shade=3)) == MaterialUnfit(MaterialFault.TODAY)
    world.clock.forward(days=1)
    world._actors.clear()
    assert isinstance(add(world, draft, picture(shade=3)), MaterialView)


def test_a_daughter_files_for_her_father_within_her_scope(world: World) -> None:
    assert isinstance(save(world, PROMISED, "retiree", "worker"), NotPermitted)
    bound(world, "worker_2", "retiree", scopes=(Scope.VIEW_INFO,))
    assert isinstance(save(world, PROMISED, "retiree", "worker_2"), NotPermitted)
    bound(world, "worker", "retiree", scopes=(Scope.FILE,))
    saved = save(world, PROMISED, "retiree", "worker")
    assert (saved.matter.relation, saved.matter.applicant_id) == (
        "PARENT",
        world.person("worker"),
    )
    done = submit(world, saved, "worker")
    assert done.filing.state is FilingState.APPROVED
    told = [facts["to"] for kind, facts in messages(world) if kind == "matter_approve_at_once"]
    assert len(set(told)) == 2  # father and daughter
    assert any(kind == "relative_acted" for kind, _ in messages(world))
    stranger = CancelFiling(world.actor("worker_2"), done.filing.id)
    assert isinstance(world.do(service.cancel, stranger), NotPermitted)
    assert isinstance(
        world.do(service.cancel, replace(stranger, actor=world.terminal())), SignInRequired
    )


def test_a_phone_that_loses_the_net_repeats_itself(world: World) -> None:
    key = new_key()
    first = save(world, PROMISED, request_id=key)
    assert save(world, PROMISED, request_id=key) == first
    assert isinstance(save(world, JOURNEY, request_id=key), RequestKeyReused)
    key = new_key()
    done = submit(world, first, request_id=key)
    assert submit(world, first, request_id=key) == done
    changed = save(world, PROMISED, matter_id=first.matter.id)
    assert changed == MatterNotFound()  # it is a draft no more


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"area_code": "510100"}, FilingProblem.OWN_AREA),
        ({"area_code": "510300"}, FilingProblem.NOT_NEEDED),
        ({"area_code": "500100"}, FilingProblem.NOT_NEEDED),
        ({"area_code": "110101"}, FilingProblem.UNKNOWN_AREA),
        ({"area_code": "999900"}, FilingProblem.UNKNOWN_AREA),
        ({"starts": TODAY - timedelta(days=91)}, FilingProblem.STARTS_TOO_EARLY),
        ({"starts": TODAY + timedelta(days=91)}, FilingProblem.STARTS_TOO_LATE),
        ({"ends": TODAY + timedelta(days=9)}, FilingProblem.LONG_TERM_HAS_NO_END),
        ({"route": FilingRoute.NOTHING}, FilingProblem.ROUTE_NOT_FOR_KIND),
        (
            {"kind": AwayKind.REFERRAL, "route": FilingRoute.PROMISE},
            FilingProblem.ROUTE_NOT_FOR_KIND,
        ),
        (
            {
                "kind": AwayKind.OTHER,
                "route": FilingRoute.NOTHING,
                "ends": TODAY - timedelta(days=1),
            },
            FilingProblem.ENDS_BEFORE_IT_STARTS,
        ),
        (
            {
                "kind": AwayKind.OTHER,
                "route": FilingRoute.NOTHING,
                "ends": date(2026, 12, 15),
            },
            FilingProblem.TOO_LONG,
        ),
    ],
)
def test_what_cannot_be_filed_is_said_by_name(
    world: World, changes: dict[str, Any], problem: FilingProblem
) -> None:
    before = world.money()
    assert save(world, replace(PROMISED, **changes)) == FilingNotPossible(problem)
    assert (
        world.database.read(lambda u: matters.of_person(u, world.person("worker"), None, 5)) == []
    )
    assert world.money() == before


def test_one_filing_for_one_insurance(world: World) -> None:
    filed(world)
    assert submit(world, save(world, JOURNEY)) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    upload(world)
    again = submit(world, save(world, PROMISED))
    assert again == FilingNotPossible(FilingProblem.FILED_ALREADY)


def test_a_renewal_begins_when_the_journey_ends(world: World) -> None:
    first = effective(world, JOURNEY)
    ends = filing(world, first).ends
    assert ends == date(2026, 12, 14)
    world.clock.instant = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    world._actors.clear()
    second = effective(world, replace(JOURNEY, starts=date(2026, 12, 15)))
    assert filing(world, first).state is FilingState.EFFECTIVE
    assert filing(world, second).ends == date(2027, 6, 14)


def test_a_filing_cancelled_before_it_was_uploaded_is_never_uploaded(world: World) -> None:
    done = filed(world, JOURNEY)
    gone = world.do(service.cancel, CancelFiling(world.actor("worker"), done.filing.id))
    assert gone.filing.state is FilingState.CANCELLED
    assert upload(world) == 0
    again = world.do(service.cancel, CancelFiling(world.actor("worker"), done.filing.id))
    assert again == FilingNotFound()


def test_a_cancel_that_crosses_an_upload_is_told_after_it(world: World) -> None:
    done = filed(world, JOURNEY)
    [due] = world.database.write(uploads.take_due)
    world.do(service.cancel, CancelFiling(world.actor("worker"), done.filing.id))
    late = UploadAnswered(due.filing_id, "FILE", True)
    assert not world.database.write(lambda u: uploads.note_answer(u, late))
    assert world.database.write(uploads.take_due) == []  # the end never overtakes the beginning
    world.clock.forward(seconds=10)
    [end] = world.database.write(uploads.take_due)
    assert end.operation == "CANCEL"


def test_one_that_was_tried_again_and_may_be_known_is_told_to_end(world: World) -> None:
    done = filed(world, JOURNEY)
    assert upload(world, None) == 1  # taken, and the answer lost, for all that is known here
    assert world.database.write(lambda u: uploads.retry_now(u, done.filing.id))
    world.do(service.cancel, CancelFiling(world.actor("worker"), done.filing.id))
    [end] = world.database.write(uploads.take_due)
    assert end.operation == "CANCEL"


def test_a_form_for_a_filing_is_not_written_into_an_application_to_cancel(world: World) -> None:
    first = effective(world)
    opened = world.do(service.cancel, CancelFiling(world.actor("worker"), first)).application
    assert save(world, JOURNEY, matter_id=opened.id) == MatterNotFound()
    kept = world.database.read(lambda u: matters.matter(u, opened.id))
    assert kept is not None
    assert kept.form == opened.form


def test_drafts_are_bounded_and_hide_nothing(world: World) -> None:
    waits = save(world, PROVEN)
    add(world, waits.matter.id)
    assert submit(world, waits).matter.state is MatterState.SUBMITTED
    drafts = [save(world, JOURNEY) for _ in range(world.settings.drafts_max)]
    assert submit(world, drafts[-1]) == ApplicationNotPossible(ApplyProblem.UNDER_WAY)
    assert save(world, JOURNEY) == ApplicationNotPossible(ApplyProblem.TOO_MANY_DRAFTS)


def test_chronic_care_asks_for_its_disease(world: World) -> None:
    def read(disease: str) -> Any:
        def asked(unit: Any) -> Any:
            place = institutions.by_code(unit, LEVEL_3)
            assert place is not None
            day = world.clock.now().date()
            return check(unit, world.person("chronic"), place, CareKind.CHRONIC, day, disease)

        return world.database.read(asked)

    assert (read("HYPERTENSION").can, read("HYPERTENSION").reasons) == (
        True,
        (DirectReason.AT_HOME,),
    )
    unknown = read("")
    assert (unknown.can, DirectReason.DISEASE_NOT_ON_FILE in unknown.reasons) == (False, True)


def test_where_a_filing_makes_no_difference_it_says_so(world: World) -> None:
    away = can(world, care=CareKind.OUTPATIENT)
    assert away.reasons == (DirectReason.NO_DIFFERENCE,)


def test_forgotten_drafts_lapse_and_an_elder_has_longer(world: World) -> None:
    elder = world.actor("retiree")
    world.do(set_preferences, SetPreferences(elder, True, NoticeBy.CALL))
    mine, theirs = save(world, JOURNEY), save(world, JOURNEY, "retiree")
    world.clock.forward(days=16)
    assert matter_service.expire_matters(world.database) == 1
    world.clock.forward(days=45)
    assert matter_service.expire_matters(world.database) == 1
    for saved in (mine, theirs):
        matter = world.database.read(lambda u, s=saved: matters.matter(u, s.matter.id))
        assert matter is not None
        assert matter.state is MatterState.LAPSED


# -- at the hospital -------------------------------------------------------------------------------


def test_filed_elsewhere_care_at_home_is_paid_as_ever(world: World) -> None:
    effective(world)

    def stay(who: str, at: str) -> Any:
        admitted = world.admit(who, at)
        return world.settle_stay(admitted.id, line(VISIT, "1", "9000.00", traces=0), at=at)

    filed_at_home, never_filed = stay("worker", LEVEL_3), stay("worker_2", LEVEL_3)
    assert filed_at_home.outcome.fund_fen == never_filed.outcome.fund_fen > 0
    there = stay("worker", BEIJING)
    case = world.database.read(lambda u: settlements.case_of_settlement(u, there.id))
    assert case.filing is FilingKind.LONG_TERM_RESIDENT


def test_a_filing_made_during_a_stay_counts_when_it_is_settled(world: World) -> None:
    stay = world.admit("worker", BEIJING)
    assert stay.filing is FilingKind.NONE
    world.clock.forward(days=3)
    world._actors.clear()
    world._terminals.clear()
    backdated = replace(PROMISED, starts=TODAY)
    effective(world, backdated)
    settled = world.settle_stay(stay.id, line(VISIT, "1", "9000.00", traces=0), at=BEIJING)
    assert settled.outcome.fund_fen > 0
    case = world.database.read(lambda u: settlements.case_of_settlement(u, settled.id))
    assert case.filing is FilingKind.LONG_TERM_RESIDENT
    assert world.faults() == []


def test_one_that_begins_after_the_admission_does_not(world: World) -> None:
    stay = world.admit("worker", BEIJING)
    world.clock.forward(days=1)
    world._actors.clear()
    world._terminals.clear()
    effective(world, replace(PROMISED, starts=date(2026, 6, 16)))
    world.settle_stay(stay.id, line(VISIT, "1", "900.00", traces=0), at=BEIJING)
    assert can(world, day=date(2026, 6, 15)).filing is None


def test_can_i_settle_directly_there(world: World) -> None:
    home = can(world, place=PHARMACY, care=CareKind.OUTPATIENT)
    assert (home.can, home.reasons) == (True, (DirectReason.AT_HOME,))
    away = can(world)
    assert (away.can, DirectReason.NO_FILING in away.reasons) == (True, True)
    assert away.rate_if_filed > away.rate
    beds = can(world, place=PHARMACY)
    assert (beds.can, DirectReason.NOT_OFFERED in beds.reasons) == (False, True)
    shut = can(world, place="P51010700003", care=CareKind.OUTPATIENT)
    assert (shut.can, DirectReason.AGREEMENT_NOT_OPEN in shut.reasons) == (False, True)
    early = can(world, day=date(1990, 1, 1))
    assert (early.can, early.reasons) == (False, (DirectReason.NOT_INSURED,))
    starts = world.clock.now()
    outage = AnnounceOutage(
        Operator("x"),
        "110100",
        (Service.INPATIENT_SETTLEMENT,),
        starts,
        starts + timedelta(hours=2),
        "升级",
        "请稍后",
    )
    world.do(announce_outage, outage)
    down = can(world)
    assert (down.can, down.outage.reason) == (False, "升级")
    assert world.buy("worker", line(IBUPROFEN)).total_fen == 1_000


# -- the calendar ----------------------------------------------------------------------------------


def test_working_days_are_those_of_the_state_councils_notice() -> None:
    assert not workdays.is_workday(date(2026, 2, 16))  # Spring Festival
    assert workdays.is_workday(date(2026, 2, 14))  # a Saturday worked for it
    assert workdays.is_workday(date(2026, 10, 10))
    assert not workdays.is_workday(date(2026, 10, 1))
    assert (workdays.is_announced(date(2026, 1, 1)), workdays.is_announced(date(2031, 1, 1))) == (
        True,
        False,
    )
    assert workdays.is_workday(date(2031, 1, 6))  # a Monday, as far as anybody knows
    spring = due_on(date(2026, 2, 13), 2, set(), workdays.is_workday)
    assert spring == date(2026, 2, 24)
    paused = due_on(date(2026, 6, 15), 2, {date(2026, 6, 16)}, workdays.is_workday)
    assert paused == date(2026, 6, 18)
    assert due_on(date(2026, 6, 15), 0, set(), workdays.is_workday) == date(2026, 6, 15)


def test_who_has_a_filing_that_runs_out_is_told_once_in_time_to_renew_it(world: World) -> None:
    def told() -> list[dict[str, Any]]:
        service.notify_filing_ends(world.database)
        return [facts for kind, facts in messages(world) if kind == "filing_ends"]

    effective(world, JOURNEY)
    effective(world, PROMISED, "worker_2")  # without an end
    ends = world.database.read(lambda u: queries.of_enrolments(u, [world.enrolment("worker")], 1))[
        0
    ].ends
    assert ends is not None
    world.clock.forward(days=(ends - TODAY).days - 15)
    assert told() == []
    world.clock.forward(days=1)
    [facts] = told()
    assert (facts["area"], facts["ends"]) == ("北京市", ends.isoformat())
    assert len(told()) == 1
