"""The journal of the processes holds nothing of what people are or have written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.access.contracts import PersonActor
from backend.complaints.contracts import ComplaintForm
from backend.filings.contracts import FilingForm
from backend.filings.service import FILING
from backend.identity.contracts import CodeWrong, RequestSignInCode, SignIn
from backend.identity.registration_contracts import CivilAnswer, IdentityNotConfirmed
from backend.identity.service import request_sign_in_code, sign_in
from backend.infra.clock import SystemIds
from backend.infra.database import Unit
from backend.infra.journal import ContentUnreadable, read_content
from backend.infra.tokens import Audience, Claims
from backend.kernel.errors import Locale
from backend.kernel.invariants import InvariantBroken
from backend.matters import queries as matters
from backend.orders import driving
from backend.people.model import Person
from mobile_bff.civil_register import CivilRegister
from mobile_bff.client import Client
from mobile_bff.context import Context
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.processes import newest_code, server, sms_sandbox
from mobile_bff.schema import make_schema
from mobile_bff.trusted import load_documents
from tests.journal import journal_of_all, personal_markers
from tests.security.test_matrix import TrialDoor
from tests.usecases import test_claim_cases as claiming
from tests.usecases import test_complaints as complaining
from tests.usecases import test_enrolment as enrolling
from tests.usecases import test_registration as registering
from tests.usecases import test_relatives as relatives
from tests.usecases import test_reports as reporting
from tests.world import World, new_key, phone_of

WORDS = "窗口让我回去补材料，前后跑了五趟"
ADDRESS = "锦江区虚构路88号3栋1单元"
ACCOUNT = "9901000000007777"
BANK = "虚构银行玉林支行"
FILED = "query F($m: ID!) { publicServices { filingApplication(matterId: $m) { areaCode } } }"
SHOWN = "query A($m: ID!) { publicServices { application(matterId: $m) { form { text } } } }"
WRITTEN = (WORDS, ADDRESS, ACCOUNT, BANK, reporting.FACTS, registering.NEWCOMER.name)


def asked(world: World, actor: PersonActor | None, document: str, matter_id: str) -> Any:
    """Return the answer to a query about an application, and its errors' codes."""
    claims = None
    if actor is not None:
        ends = world.clock.now().replace(year=2030)
        claims = Claims(Audience.PERSON, actor.person_id, actor.session_id, ends)
    context = Context(
        door=TrialDoor(world),  # type: ignore[arg-type]
        feed=None,  # type: ignore[arg-type]
        locale=Locale.ZH,
        address="here",
        request_id=new_key(),
        claims=claims,
        documents=load_documents(only_own=False),
        register=CivilRegister("http://127.0.0.1:9", "", SystemIds()),
        national=NationalPlatform("http://127.0.0.1:9", ""),
    )
    schema, values = make_schema(), {"m": matter_id}
    done = asyncio.run(schema.execute(document, variable_values=values, context_value=context))
    codes = [(error.extensions or {}).get("code") for error in done.errors or ()]
    return next(iter((done.data or {"": {}}).values())), codes


def complaint(world: World) -> str:
    form = replace(complaining.FORM, words=WORDS)
    return str(complaining.save(world, form).matter.id)


def rename(world: World, matter_id: str, kind: str) -> None:
    """Let stored content contradict its kind, as a fault of ours would."""
    world.database.write(
        lambda u: u.db.connection().execute(
            text("UPDATE matter SET kind = :kind WHERE id = :id"), {"kind": kind, "id": matter_id}
        )
    )


@pytest.mark.parametrize("who", ["worker", "retiree", ""])
@pytest.mark.parametrize("kind", ["complaint", "claim", "enrolment", "none"])
def test_an_application_of_another_kind_is_no_filing(world: World, kind: str, who: str) -> None:
    owner, matter_id = "worker", "nothing"
    if kind == "complaint":
        matter_id = complaint(world)
    if kind == "claim":
        matter_id = claiming.save(world, owner).matter.id
    if kind == "enrolment":
        matter_id = enrolling.save(world, enrolling.ADULT).matter.id
    with journal_of_all() as journal:
        answer = asked(world, world.actor(who) if who else None, FILED, matter_id)
    assert answer == ({"filingApplication": None}, [])
    assert "failed" not in journal.getvalue()


def test_content_is_opened_for_nobody_who_may_not_see_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    matter_id, opened = complaint(world), []
    reads = matters.form_of

    def noted(unit: Unit, row: Any) -> str:
        opened.append(row.id)
        return reads(unit, row)

    monkeypatch.setattr(matters, "form_of", noted)
    for document in (FILED, SHOWN):
        for stranger in (world.actor("retiree"), None):
            value, codes = asked(world, stranger, document, matter_id)
            assert (list(value.values()), codes) == ([None], [])
    assert opened == []
    value, codes = asked(world, world.actor("worker"), SHOWN, matter_id)
    assert WORDS in [line["text"] for line in value["application"]["form"]]
    assert (codes, set(opened)) == ([], {matter_id})


def test_content_that_is_not_of_its_form_is_told_by_its_fields(world: World) -> None:
    matter_id = complaint(world)
    rename(world, matter_id, "FILING")
    with journal_of_all() as journal:
        _, codes = asked(world, world.actor("worker"), FILED, matter_id)
    assert codes == ["INTERNAL_SERVER_ERROR"]
    written = journal.getvalue()
    assert "backend.infra.journal.ContentUnreadable: kind missing; starts missing" in written
    assert "cross_region_filing.py" in written
    assert WORDS not in written


def test_a_form_is_read_by_its_own_kind_alone(world: World) -> None:
    matter_id = complaint(world)
    view = world.database.read(lambda u: matters.matter(u, matter_id))
    assert view is not None
    with pytest.raises(InvariantBroken, match=r"\ACOMPLAINT is read as FILING\Z"):
        FILING.read(view)


def test_unreadable_content_quotes_nothing() -> None:
    form = TypeAdapter(ComplaintForm)
    with pytest.raises(ContentUnreadable) as raised:
        read_content(form, f'{{"words": ["{WORDS}"], "{WORDS}": 1}}')
    assert WORDS not in str(raised.value)
    assert "words string_type" in str(raised.value)
    assert raised.value.__context__ is None


def _validation() -> None:
    TypeAdapter(FilingForm).validate_json(f'{{"kind": "{WORDS}"}}')


def _conversion() -> None:
    int(WORDS)


def _key() -> None:
    {}[WORDS]


def _behind() -> None:
    try:
        int(WORDS)
    except ValueError as error:
        raise RuntimeError(WORDS) from error


def _several() -> None:
    raise ExceptionGroup(WORDS, [ValueError(WORDS)])


@pytest.mark.parametrize(
    ("fail", "told"),
    [
        (_validation, "ValidationError: kind enum"),
        (_conversion, "builtins.ValueError"),
        (_key, "builtins.KeyError"),
        (_behind, "builtins.RuntimeError"),
        (_several, "builtins.ExceptionGroup"),
    ],
)
def test_no_exception_is_logged_with_its_message(fail: Callable[[], None], told: str) -> None:
    log = logging.getLogger("yibao.trial")
    with journal_of_all() as journal:
        try:
            fail()
        except Exception as error:
            log.exception("it failed: %s", error)
            log.error(error)
            log.error({"a": 1})
    written = journal.getvalue()
    assert told in written
    assert fail.__name__ in written  # where it was
    assert "it failed: " in written
    assert WORDS not in written


def test_a_task_that_nobody_awaited_is_logged_without_what_it_raised() -> None:
    async def run() -> None:
        loop, problem = asyncio.get_running_loop(), ValueError(WORDS)
        about = {"message": "Task exception was never retrieved", "exception": problem}
        loop.call_exception_handler({**about, "future": asyncio.sleep(0), "said": problem})

    with journal_of_all() as journal, pytest.warns(RuntimeWarning, match="never awaited"):
        asyncio.run(run())
    written = journal.getvalue()
    assert "Task exception was never retrieved" in written
    assert "builtins.ValueError" in written
    assert WORDS not in written


def test_what_a_database_quotes_is_not_logged(world: World) -> None:
    def twice(unit: Unit) -> None:
        for _ in range(2):
            unit.db.add(
                Person(id=WORDS, particulars="", id_number_index=WORDS, registered_at=unit.now)
            )
            unit.db.flush()
            unit.db.expunge_all()

    with journal_of_all() as journal:
        with pytest.raises(IntegrityError):
            world.database.write(twice)
        try:
            world.database.write(twice)
        except IntegrityError:
            logging.getLogger("yibao.trial").exception("not written")
    assert "sqlalchemy.exc.IntegrityError" in journal.getvalue()
    assert WORDS not in journal.getvalue()


def test_a_life_with_everything_going_wrong_leaves_nothing_personal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with journal_of_all() as journal:
        worker = world.actor("worker")
        phone = phone_of("worker")
        world.do(request_sign_in_code, RequestSignInCode(phone, "here"))
        wrong = world.do(sign_in, SignIn(phone, "x", "我的手机", "here"))
        assert isinstance(wrong, CodeWrong)
        code = registering.code_for(world)
        newcomer = registering.asked(world, registering.NEWCOMER, code)
        mismatch = registering.go(world, newcomer, CivilAnswer.MISMATCH)
        assert mismatch == IdentityNotConfirmed()
        matter_id = complaint(world)
        account = replace(claiming.HERS, number=ACCOUNT, bank=BANK)
        claimed = claiming.submitted(world, account=account)
        assert claimed.id
        enrolled = enrolling.save(world, replace(enrolling.ADULT, address=ADDRESS))
        assert enrolled.matter.id
        assert relatives.request(world, "worker", "retiree").id
        receipt = reporting.lodge(world)
        assert receipt.number
        for document in (FILED, SHOWN):
            for one in (matter_id, claimed.id, enrolled.matter.id):
                for actor in (worker, world.actor("retiree"), None):
                    _, codes = asked(world, actor, document, one)
                    assert codes == []
        for one in (matter_id, claimed.id, enrolled.matter.id):
            rename(world, one, "FILING")
        for who, one in (("worker", matter_id), ("retiree", claimed.id)):
            for document in (FILED, SHOWN):
                _, codes = asked(world, world.actor(who), document, one)
                assert codes == ["INTERNAL_SERVER_ERROR"]
        monkeypatch.setattr(driving.queries, "is_due", lambda _: int(WORDS))
        try:
            driving.drive_due(world.database, {})
        except ValueError:
            logging.getLogger("yibao.couriers").exception("payment orders could not be driven")
    written = journal.getvalue()
    assert written.count("yibao.graphql ERROR") == 4
    assert "backend.infra.journal.ContentUnreadable: kind missing" in written
    assert "builtins.ValueError" in written
    markers = {*personal_markers(world), *WRITTEN, registering.NEWCOMER.id_number, phone}
    assert [marker for marker in sorted(markers) if marker in written] == []


def test_a_server_writes_nothing_personal(
    sqlite_template: Path, keys_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    number, path, mailbox = phone_of("worker"), tmp_path / "site.sqlite3", tmp_path / "mailbox"
    shutil.copy(sqlite_template, path)
    settings = {"YIBAO_DATABASE_URL": f"sqlite:///{path}", "YIBAO_KEYS_FILE": str(keys_file)}
    with (
        sms_sandbox(mailbox) as gateway,
        server({**settings, "YIBAO_SMS_GATEWAY_URL": gateway}) as address,
        httpx.Client(timeout=60, trust_env=False) as http,
    ):
        stranger, phone = Client(address, http=http), Client(address, http=http)
        phone.do("RequestSignInCode", phone=number)
        code = newest_code(mailbox, number)
        phone.token = phone.do("SignIn", phone=number, code=code, deviceName="d")["accessToken"]
        saved = phone.do_once(
            "SaveComplaint",
            about="COMPLAINT",
            topic="CHARGE",
            areaCode="510100",
            institutionCode="",
            happenedOn="2026-06-14",
            words=WORDS,
        )
        matter_id = saved["matter"]["matterId"]
        refused = stranger.do("SignIn", phone=number, code="x", deviceName=WORDS)
        assert refused["code"] == "CODE_WRONG"
        body = {"query": FILED, "variables": {"m": matter_id}}
        nothing = {"publicServices": {"filingApplication": None}}
        assert phone.post(body).json() == {"data": nothing}
        assert stranger.post(body).json() == {"data": nothing}
        for wrong in ({"query": FILED, "variables": {"m": {"words": WORDS}}}, {"query": WORDS}):
            assert phone.post(wrong).json()["errors"]
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE matter SET kind = 'FILING' WHERE id = ?", (matter_id,))
        failed = phone.post(body).json()["errors"]
        assert failed[0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    output, errors = capfd.readouterr()
    assert "ContentUnreadable: kind missing" in errors
    markers = (WORDS, number, code)
    assert [marker for marker in markers if marker in output + errors] == []
