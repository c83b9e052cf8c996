"""A file that takes long to open keeps nobody waiting: no connection, no turn to write, no place for long."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import func, select
from starlette.applications import Starlette

from backend.infra.pictures import Picture, decode
from backend.matters import materials
from backend.matters.contracts import MatterState
from backend.matters.model import Material, Matter
from backend.reports import service
from backend.reports.model import ReportEvidence
from mobile_bff.app import OPENED_AT_ONCE
from tests.hostile_pictures import plain
from tests.inside import SECONDS_MAX, Answer, Headers, application, ask, bearer, form, run
from tests.usecases.test_filings import PROVEN, save
from tests.usecases.test_reports import lodge, taken_in
from tests.world import World

WAITING_MAX = 8


@dataclass
class SlowDecoder:
    """Decodes a picture once the test lets it. Counts what it was asked for."""

    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    opened: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def __call__(self, picture: Picture, side: int) -> Any:
        self.asked += 1
        self.entered.release()
        assert self.opened.wait(SECONDS_MAX)
        return decode(picture, side)

    async def begun(self) -> None:
        """Wait until a picture is being decoded."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=SECONDS_MAX)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDecoder]:
    slow = SlowDecoder()
    monkeypatch.setattr(materials, "decode", slow)
    yield slow
    slow.opened.set()


Send = Callable[[bytes], Awaitable[Answer]]


def senders(world: World, app: Starlette) -> dict[str, Send]:
    """Return how a paper and a file of a report are sent."""
    matter = save(world, PROVEN).matter.id
    mine = bearer(world, world.actor("worker"))
    receipt = taken_in(world, "")

    async def post(target: str, part: str, content: bytes, more: Headers) -> Answer:
        headers, body = form((part, "a.jpg", content))
        return await ask(app, "POST", target, headers=[*headers, *more], body=body)

    def paper(content: bytes) -> Awaitable[Answer]:
        return post(f"/materials/{matter}", "RESIDENCE_PROOF", content, [mine])

    def evidence(content: bytes) -> Awaitable[Answer]:
        return post("/reports/evidence", "file", content, [("x-report-secret", receipt.secret)])

    return {"paper": paper, "evidence": evidence}


def count(world: World, table: Any) -> int:
    return world.database.read(
        lambda u: int(u.db.exec(select(func.count()).select_from(table)).one())
    )


@pytest.mark.parametrize("kind", ["paper", "evidence"])
def test_others_write_while_a_picture_is_decoded(
    world: World, decoder: SlowDecoder, kind: str
) -> None:
    app = application(world)
    send = senders(world, app)[kind]
    code = 'mutation { issueCode(input: {requestId: "r1", purpose: PHARMACY_PURCHASE}) { __typename } }'
    headers = [("content-type", "application/json"), bearer(world, world.actor("worker_2"))]

    async def work() -> None:
        upload = asyncio.create_task(send(plain()))
        await decoder.begun()
        pool = app.state.database.engine.pool
        assert pool.checkedout() == 0
        body = json.dumps({"query": code}).encode()
        written = await ask(app, "POST", "/graphql", headers=headers, body=body)
        assert written.json() == {"data": {"issueCode": {"__typename": "UnifiedCode"}}}
        assert await asyncio.to_thread(lodge, world, "worker_3")  # from another process, as it were
        assert not upload.done()
        decoder.opened.set()
        assert (await upload).status == 200

    run(app, work)
    assert count(world, Material if kind == "paper" else ReportEvidence) == 1


@pytest.mark.parametrize("kind", ["paper", "evidence"])
def test_files_wait_in_a_bounded_queue_and_then_are_sent_again(
    world: World, decoder: SlowDecoder, kind: str
) -> None:
    app = application(world)
    send = senders(world, app)[kind]
    places = OPENED_AT_ONCE + WAITING_MAX

    async def work() -> None:
        uploads = [asyncio.create_task(send(plain(900 + n))) for n in range(16)]
        await decoder.begun()
        while sum(upload.done() for upload in uploads) < 16 - places:
            waiting = [upload for upload in uploads if not upload.done()]
            await asyncio.wait(waiting, timeout=SECONDS_MAX, return_when="FIRST_COMPLETED")
        refused = [upload.result() for upload in uploads if upload.done()]
        assert [answer.status for answer in refused] == [503] * (16 - places)
        told = refused[0].json()
        assert (told["code"], told["retry"]) == ("FILE_QUEUE_FULL", "SAME_REQUEST")
        assert told["nextAction"] == "请过几秒钟，再提交同样的请求。"
        assert refused[0].header("retry-after") == "5"
        assert decoder.asked == OPENED_AT_ONCE
        decoder.opened.set()
        answers = await asyncio.gather(*uploads)
        assert sorted(answer.status for answer in answers) == [200] * places + [503] * (16 - places)
        again = [n for n, answer in enumerate(answers) if answer.status == 503]
        for number in again:  # the very same request
            assert (await send(plain(900 + number))).status == 200

    run(app, work)
    assert count(world, Material if kind == "paper" else ReportEvidence) == 16


def test_nobody_has_a_file_opened_who_may_not_add_it(world: World, decoder: SlowDecoder) -> None:
    decoder.opened.set()
    app = application(world)
    matter, receipt = save(world, PROVEN).matter.id, taken_in(world, "")
    named = taken_in(world, "worker")
    headers, body = form(("RESIDENCE_PROOF", "a.jpg", plain()))
    worker, other = (bearer(world, world.actor(who)) for who in ("worker", "retiree"))
    till, clerk = bearer(world, world.terminal()), bearer(world, world.staff("CD1001"))

    async def work() -> None:
        async def post(target: str, *more: tuple[str, str]) -> tuple[int, str]:
            answer = await ask(app, "POST", target, headers=[*headers, *more], body=body)
            return answer.status, answer.json()["code"]

        for who in ([], [other], [till], [clerk]):
            assert await post(f"/materials/{matter}", *who) == (404, "MATTER_NOT_FOUND")
            mine = [("x-report-id", named.report_id), *who]
            assert await post("/reports/evidence", *mine) == (404, "REPORT_NOT_FOUND")
        assert await post(f"/materials/{matter}x", worker) == (404, "MATTER_NOT_FOUND")
        wrong = ("x-report-secret", receipt.secret[:-1] + "?")
        assert await post("/reports/evidence", wrong) == (404, "REPORT_NOT_FOUND")

    run(app, work)
    assert decoder.asked == 0
    assert (count(world, Material), count(world, ReportEvidence)) == (0, 0)


def test_the_right_is_looked_up_again_once_the_file_is_open(
    world: World, decoder: SlowDecoder
) -> None:
    app = application(world)
    send = senders(world, app)["paper"]

    async def work() -> None:
        upload = asyncio.create_task(send(plain()))
        await decoder.begun()

        def close(unit: Any) -> None:
            unit.db.exec(select(Matter)).one().state = MatterState.WITHDRAWN

        await asyncio.to_thread(world.database.write, close)
        decoder.opened.set()
        answer = await upload
        assert (answer.status, answer.json()["code"]) == (404, "MATTER_NOT_FOUND")

    run(app, work)
    assert count(world, Material) == 0


def test_a_full_application_and_a_full_report_open_no_file(
    world: World, decoder: SlowDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder.opened.set()
    monkeypatch.setattr(materials, "FILES_MAX", 1)
    monkeypatch.setattr(service, "_FILES_MAX", 1)
    app = application(world)
    for kind, code in (("paper", "MATERIAL_UNFIT"), ("evidence", "EVIDENCE_UNFIT")):
        send = senders(world, app)[kind]

        async def work(send: Send = send, code: str = code) -> None:
            assert (await send(plain())).status == 200
            opened = decoder.asked
            full = await send(plain(901))
            assert (full.status, full.json()["code"]) == (422, code)
            assert decoder.asked == opened

        run(app, work)
    assert (count(world, Material), count(world, ReportEvidence)) == (1, 1)
