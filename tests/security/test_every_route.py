"""Every route of the application against what strangers send, on both databases: never a fault of ours.

The routes are those of ``app.routes``: a new one is in by itself. Each answer has its request id and the safe
headers, is of the route's media type, and nothing is logged as an error.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from backend.sandboxes import bank_credit, unionpay, wechat_pay
from tests.hostile_pictures import plain
from tests.inside import Answer, Headers, application, ask, bearer, form, run
from tests.usecases.test_filings import PROVEN, add, save
from tests.usecases.test_reports import taken_in
from tests.world import World

SECONDS_MAX = 5.0
SAFE = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
JSON = ("application/json", "application/graphql-response+json")
MEDIA = {
    "/exports/settlements.csv": ("text/csv",),
    "/certificates/{certificate_id:str}.pdf": ("application/pdf",),
    "/verify": ("text/html",),
    "/verify/{code:str}": ("text/html",),
    "/channels/unionpay/notify": ("text/plain",),
    "/health/live": ("text/plain",),
    "/health/ready": ("text/plain",),
    "/.well-known/identity-trust.jwt": ("application/jwt",),
}
IDS = (
    *(
        "%00",
        "a%00b",
        "%2F",
        "a%2Fb",
        "..",
        "%2e%2e",
        "%2e%2e%2f%2e%2e",
        "-1",
        "0",
        "'",
        "%25",
        "%",
    ),
    *("%ED%A0%80", "%ED%B0%80%ED%A0%80", "%FF%FE", "%zz", "%u0041", "%0A%0D", "%20", "%7B%7D"),
    *(
        quote("２０２６"),
        quote("💊𠮷"),
        quote("\u202e\ufeff"),
        quote("İß"),
        "a" * 5_000,
        "%41" * 5_000,
    ),
    *("None", "null", "9" * 40, "99999999999999999999999999", "1e400", "a;b=c", "a?b", "a%3Fb"),
)
QUERIES = (
    *(
        "",
        "&&&",
        "=",
        "year",
        "year=",
        "year=2026",
        "year=02026000",
        "year=2026&year=1",
        "year=-2026",
    ),
    *("year=99999999999999999999", "year=2026%00", "year=2026.0", "year=%E3%80%80", "year=1999"),
    *("year=2026&subject=%00", "year=2026&subject=a%00b", "year=2026&subject=..%2F&subject=x"),
    *(
        f"year={quote('２０２６')}",
        f"year=2026&subject={quote('💊')}",
        "year=2026&subject=" + "a" * 5_000,
    ),
    *(
        "code=%00",
        "code=" + "a" * 5_000,
        "code=a&code=b",
        f"code={quote('İß💊')}",
        "code=%ED%A0%80",
    ),
    *("query=%00", "query=%7B__typename%7D", "query=%7B&variables=%7B", "variables=%5B%5D&query=x"),
    *("query=%7B__typename%7D&extensions=%5B" + "%5B" * 900, "query=" + "%7Ba" * 2_000, "%00=%00"),
    *("&".join(f"k{n}=v" for n in range(3_000)), "a" * 20_000, "%ff=%fe", "year[]=2026", "+", "%"),
)
HEADERS: tuple[Headers, ...] = (
    *([("authorization", value)] for value in (
        "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic Og==", "Bearer " + "a" * 10_000,
        "Bearer eyJhbGciOiJub25lIn0.e30.", "bearer\tx", "\xff\xfe", "Bearer eyJhbGciOjF9.e30.x",
        "Bearer eyJraWQiOltdLCJhbGciOiJFZERTQSJ9.e30.x", "Bearer W10.W10.W10",
    )),
    *([("range", value)] for value in ("bytes=0-", "bytes=-1", "bytes=9-1", "bytes=" + "0-,0-" * 900)),
    *([("content-type", value)] for value in (
        "", "x", "/", "multipart/form-data", "multipart/form-data; boundary=", "text/plain; charset=x",
        "multipart/form-data; boundary=" + "b" * 300, "multipart/form-data; boundary=\xff",
        "multipart/form-data; boundary=b; charset=punycode", "application/json; charset=utf-7",
        "application/x-www-form-urlencoded; charset=\xff", "application/json" * 500,
    )),
    *([("accept-language", value)] for value in (
        "en" * 5_000, "en;q=nan", "en;q=1e999,zh;q=-1", ";;;,,,", "\xff", "en;q=" + "9" * 5_000, "*",
    )),
    *([("accept", value)] for value in ("", "*/*;q=nan", "application/json;q=", "a/b," * 2_500, "\xff")),
    *([("content-length", value)] for value in ("", "-1", "x", "9" * 5_000, "0x10", "1 ", "+5", "\xb2")),
    [("host", "[")], [("host", "a b")], [("host", "")], [("cookie", "a=\xff" * 1_000)],
    [("transfer-encoding", "chunked")], [("x-report-secret", "\xff" * 5_000)],
    [("x-report-id", "\xff")], [("x-report-id", "' OR 1=1 --")], [("expect", "100-continue")],
    [("wechatpay-timestamp", "\xb2")], [("wechatpay-timestamp", "9" * 5_000)],
    [("x-forwarded-for", "\xff, [")], [("forwarded", "for=[")], [("if-none-match", '"')],
    [("authorization", "Bearer a.b.c"), ("authorization", "Bearer d.e.f")],
)  # fmt: skip
TYPES = (
    *("application/json", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"),
    *("text/plain", "application/xml"),
)
PART = b"--b\r\ncontent-disposition: form-data; "
BODIES = (
    *(b"", b"\0", b"\xff\xfe" * 50, b"null", b"[]", b"{", b'"\\ud800"', b"[" * 50_000, b"NaN", b"1" * 5_000),
    *(b'{"a":' * 20_000, b'{"query":1}', b'{"query":"{ __typename }","variables":{"a":"\\u0000"}}'),
    *(b'{"query":"' + b"{a" * 3_000 + b'"}', b'{"query":"x","extensions":{"persistedQuery":1}}'),
    *(b"a=" + b"%" * 1_000, b"&" * 30_000, b"=" * 3_000, b"a=1&" * 20_000, b"%00=%00", b"a=%ff%fe"),
    *(b"--b", b"--b--", b"--b\r\n", b"--b\r\n\r\n\r\n--b--\r\n", b"--c\r\n\r\nx\r\n--c--", b"\r\n" * 900),
    PART + b'name="file"\r\n\r\nx\r\n--b--\r\n',
    PART + b'name="file"; filename="a"\r\n\r\nx',
    PART + b'name="file"; filename="a"\r\n\r\n\r\n--b--\r\n',
    PART + b'name="file"; filename="\0\xff/../a"\r\n\r\n%PDF-1.7 %%EOF\r\n--b--\r\n',
    PART + b'name="RESIDENCE_PROOF"; filename="\0\xff/../a"\r\n\r\n%PDF-1.7 %%EOF\r\n--b--\r\n',
    PART + b"name=RESIDENCE_PROOF; filename=" + b"a" * 3_000 + b"\r\n\r\n%PDF-1 %%EOF\r\n--b--\r\n",
    PART + b"filename=a\r\n\r\nx\r\n--b--\r\n",
    PART + b"name*=utf-8''%ff%00; filename*=utf-8''%ff%00\r\n\r\nx\r\n--b--\r\n",
    PART + b"name=" + b"a" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n",
    PART + b"name=0; filename=a\r\n" + b"x: y\r\n" * 3_000 + b"\r\nx\r\n--b--\r\n",
    (PART + b"name=0; filename=a\r\n\r\nx\r\n") * 2_000 + b"--b--\r\n",
    (PART + b"name=a\r\n\r\nx\r\n") * 5_000 + b"--b--\r\n",
    PART + b"name=file; filename=a\r\ncontent-type: \xff\r\n\r\n" + plain()[:900] + b"\r\n--b--\r\n",
    PART + b"name=1; filename=a\r\n\r\n" + b"\xff\xd8\xff" * 300 + b"\r\n--b--\r\n",
    b"\r\n--b\r\ncontent-disposition\r\n\r\nx\r\n--b--", b"--b\nname=a\n\nx\n--b--",
)  # fmt: skip
METHODS = (
    "HEAD",
    "OPTIONS",
    "PUT",
    "DELETE",
    "TRACE",
    "PATCH",
    "CONNECT",
    "GET",
    "POST",
    "X",
    "get",
)


@pytest.fixture
def app(world: World) -> Starlette:
    folder = world.settings.resolved_channel_keys
    for name, sandbox in (("wechat", wechat_pay), ("unionpay", unionpay), ("bank", bank_credit)):
        if not (folder / name).exists():
            sandbox.make_keys(folder / name)
    return application(world)


@pytest.fixture
def callers(world: World) -> list[Headers]:
    """Nobody, a patient, a till and a clerk."""
    actors = (world.actor("worker"), world.terminal(), world.staff("CD1001"))
    return [[], *([bearer(world, actor)] for actor in actors)]


def routes_of(app: Starlette) -> list[Route]:
    routes = [route for route in app.routes if not isinstance(route, WebSocketRoute)]
    assert all(isinstance(route, Route) for route in routes), "a kind of route that is not fuzzed"
    return [route for route in routes if isinstance(route, Route)]


def targets_of(route: Route, ids: Sequence[str] = ("x",)) -> Iterator[str]:
    """Yield paths of a route, each hostile id in the place of its parameter."""
    if not route.param_convertors:
        yield route.path
    for value in ids if route.param_convertors else ():
        yield value.join(re.split(r"\{[^}]*\}", route.path))


class Judge:
    """Sends requests and says what is wrong with their answers."""

    def __init__(self, app: Starlette, log: pytest.LogCaptureFixture) -> None:
        self._app = app
        self._log = log
        self.faults: list[str] = []
        self.asked = 0
        self.seen: set[tuple[str, int]] = set()

    async def ask(self, route: Route, method: str, target: str, **more: Any) -> None:
        self.asked += 1
        self._log.clear()
        started = time.monotonic()
        name = f"{method} {target[:80]} {str(more)[-300:]}"
        try:
            answer = await ask(self._app, method, target, **more)
        except Exception as error:
            self.faults.append(f"{name} raised {error!r}")
            return
        if time.monotonic() - started > SECONDS_MAX:
            self.faults.append(f"{name} took too long")
        errors = [record for record in self._log.records if record.levelno >= logging.ERROR]
        self.faults += [f"{name} logged {record.getMessage()}" for record in errors]
        self.faults += [
            f"{name}: {answer.status} {fault}" for fault in faults_of(route, method, answer)
        ]
        self.seen.add((route.path, answer.status))


def faults_of(route: Route, method: str, answer: Answer) -> Iterator[str]:
    headers = [key for key, _ in answer.headers]
    if answer.status >= 500:
        yield answer.body[:200].decode("utf-8", "replace")
    for name in ("x-request-id", *SAFE):
        if headers.count(name) != 1:
            yield f"has {headers.count(name)} times {name}"
        elif name in SAFE and answer.header(name) != SAFE[name]:
            yield f"has {name}: {answer.header(name)}"
    if not re.fullmatch(r"[0-9A-Z]{26}", dict(answer.headers).get("x-request-id", "")):
        yield "has no request id"
    media = dict(answer.headers).get("content-type", "").partition(";")[0]
    if answer.body and media in JSON:
        try:
            json.loads(answer.body)
        except ValueError:
            yield "is no JSON"
    elif answer.body and media not in MEDIA.get(route.path, ()):
        yield f"is of {media}: {answer.body[:80]!r}"


def judged(app: Starlette, log: pytest.LogCaptureFixture, work: Any) -> Judge:
    judge = Judge(app, log)
    log.set_level(logging.ERROR)

    async def whole() -> None:
        await work(judge)

    run(app, whole)
    assert not judge.faults, "\n".join(judge.faults)
    return judge


def test_hostile_ids_and_wrong_methods(
    app: Starlette, callers: list[Headers], caplog: pytest.LogCaptureFixture
) -> None:
    async def work(judge: Judge) -> None:
        for route, headers in itertools.product(routes_of(app), callers):
            for target in targets_of(route, IDS):
                for method in route.methods or ("GET", "POST"):
                    await judge.ask(route, method, target, headers=headers)
            for method in METHODS:
                await judge.ask(route, method, next(targets_of(route)), headers=headers)

    judge = judged(app, caplog, work)
    assert {path for path, _ in judge.seen} == {route.path for route in routes_of(app)}
    assert ("/verify", 405) in judge.seen


def test_hostile_queries_and_headers(
    app: Starlette, callers: list[Headers], caplog: pytest.LogCaptureFixture
) -> None:
    async def work(judge: Judge) -> None:
        for route, headers in itertools.product(routes_of(app), callers):
            method = "GET" if "GET" in (route.methods or ("GET",)) else "POST"
            for target in targets_of(route):
                for query in QUERIES:
                    await judge.ask(route, method, f"{target}?{query}", headers=headers)
                for more in HEADERS:
                    own = [] if more[0][0] == "authorization" else headers
                    length = more[0][0] != "content-length"
                    await judge.ask(
                        route, method, target, headers=[*own, *more], length=length, body=b"{}"
                    )

    judge = judged(app, caplog, work)
    assert ("/exports/settlements.csv", 200) in judge.seen


def test_hostile_bodies(
    world: World, app: Starlette, callers: list[Headers], caplog: pytest.LogCaptureFixture
) -> None:
    """Each body as each kind, also where an application and a report wait for files."""
    matter = save(world, PROVEN).matter.id
    secret = ("x-report-secret", taken_in(world, "").secret)
    assert add(world, matter)

    async def work(judge: Judge) -> None:
        posts = [route for route in routes_of(app) if "POST" in (route.methods or ("POST",))]
        turns = itertools.cycle(callers)
        for route, kind, body in itertools.product(posts, TYPES, BODIES):
            more: Headers = [("content-type", kind), secret]
            for headers in (callers[1], next(turns)):
                for target in targets_of(route, (matter,)):
                    await judge.ask(route, "POST", target, headers=[*headers, *more], body=body)

    judge = judged(app, caplog, work)
    for path in ("/materials/{matter_id:str}", "/reports/evidence"):
        assert (path, 200) in judge.seen
        assert (path, 400) in judge.seen


def test_a_fault_of_ours_carries_its_id_and_is_logged_with_it(
    world: World, app: Starlette, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.matters import materials

    def fail(*_: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(materials, "add_material", fail)
    matter = save(world, PROVEN).matter.id
    headers, body = form(("RESIDENCE_PROOF", "a.jpg", plain()))
    mine = [*headers, bearer(world, world.actor("worker"))]

    async def work() -> Answer:
        return await ask(app, "POST", f"/materials/{matter}", headers=mine, body=body)

    answer = run(app, work)
    request_id = answer.header("x-request-id")
    told = answer.json()
    assert (answer.status, told["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert told["requestId"] == request_id
    assert told["errors"][0]["extensions"] == {
        "code": "INTERNAL_SERVER_ERROR",
        "requestId": request_id,
    }
    assert {name: answer.header(name) for name in SAFE} == SAFE
    assert answer.header("content-type") == "application/json"
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert request_id in record.getMessage()
    assert caplog.text.rstrip().endswith("builtins.RuntimeError")  # without its message
    assert b"a fault of ours" not in answer.body
