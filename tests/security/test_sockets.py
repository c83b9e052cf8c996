"""A socket lasts no longer than its session and is counted like requests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from backend.access.contracts import Anonymous
from backend.identity import safety
from backend.identity import service as identity
from backend.identity.contracts import RefreshSession, SignOut
from backend.identity.safety_contracts import EndSession, SignOutEverywhere
from backend.infra.outbox import Channel, enqueue
from backend.infra.tokens import Audience, Claims
from backend.institutions import service as institutions
from backend.institutions.contracts import CloseTerminalSession
from backend.staff import service as staff
from backend.staff.contracts import CloseStaffSession
from mobile_bff.context import open_claims, resolve_actor
from tests.api.conftest import site_on
from tests.serving import (
    PROTOCOL,
    ask,
    claims_of,
    closed,
    hear,
    served,
    start,
    token_of,
    wait_until,
)
from tests.world import PHARMACY, World

RIGHTS = "{ personalRights { person { id } } }"
HAPPENINGS = "subscription { happenings { about objectId } }"
EXPIRED = (4403, "Forbidden: the access token has expired")
ENDED = (4401, "Unauthorized: the session has ended")


@pytest.fixture
def quick(world: World) -> World:
    """A world whose workers look for ended sessions often."""
    world.change_settings(socket_check_milliseconds=20)
    return world


# -- what ends a session ends its sockets -----------------------------------------------------------


def _stolen(world: World) -> Claims:
    """Return the claims of a session whose refresh token is then shown by two."""
    person = world.person("worker")
    opened = world.database.write(
        lambda u: identity.open_session(
            u, person, identity.Device("手机", "here"), safety.Proof.SMS_CODE
        )
    )
    claims = Claims(Audience.PERSON, person, opened.session_id, opened.access_expires_at)
    refresh = opened.refresh_token
    successor = world.do(identity.refresh_session, RefreshSession(refresh, "here"))
    world.do(identity.refresh_session, RefreshSession(successor.refresh_token, "here"))
    world.do(identity.refresh_session, RefreshSession(refresh, "here"))
    return claims


Ending = Callable[[World], Claims]


def _person(use_case: Any, command: Callable[[Any], Any]) -> Ending:
    def end(world: World) -> Claims:
        actor = world.actor("worker")
        world.do(use_case, command(actor))
        return claims_of(world, actor)

    return end


def _blocked(world: World) -> Claims:
    actor = world.staff("CD1001")
    world.database.write(lambda u: staff.block(u, "operator", actor.staff_id))
    return claims_of(world, actor)


def _left_desk(world: World) -> Claims:
    actor = world.staff("CD1001")
    world.do(staff.close_session, CloseStaffSession(actor))
    return claims_of(world, actor)


def _withdrawn(world: World) -> Claims:
    actor = world.terminal()
    world.database.write(lambda u: institutions.withdraw_terminal(u, "operator", f"T{PHARMACY}01"))
    return claims_of(world, actor)


def _left_till(world: World) -> Claims:
    actor = world.terminal()
    world.do(institutions.close_terminal_session, CloseTerminalSession(actor))
    return claims_of(world, actor)


ENDINGS: dict[str, Ending] = {
    "sign out": _person(identity.sign_out, SignOut),
    "sign out everywhere": _person(safety.sign_out_everywhere, SignOutEverywhere),
    "end session": _person(safety.end_session, lambda a: EndSession(a, a.session_id)),
    "stolen refresh token": _stolen,
    "staff blocked": _blocked,
    "staff left": _left_desk,
    "terminal withdrawn": _withdrawn,
    "terminal left": _left_till,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_many_sessions_are_judged_as_one_is(world: World, ending: str) -> None:
    standing = {
        claims_of(world, world.actor("retiree")),
        claims_of(world, world.staff("CD1002")),
        claims_of(world, world.terminal("P51010500001")),
    }
    over = ENDINGS[ending](world)
    another = Claims(Audience.PERSON, "nobody", world.actor("retiree").session_id, over.expires_at)
    every = {*standing, over, another}
    assert world.database.read(lambda u: open_claims(u, every)) == standing
    for claims in every:
        actor = world.database.read(lambda u, c=claims: resolve_actor(u, c, "192.0.2.1"))
        assert isinstance(actor, Anonymous) is (claims not in standing)
    world.clock.forward(seconds=world.settings.access_token_seconds)
    assert world.database.read(lambda u: open_claims(u, every)) == set()


def test_sessions_of_all_sockets_cost_one_statement_for_each_kind(world: World) -> None:
    people = [claims_of(world, world.actor(key)) for key in ("worker", "retiree", "worker_2")]
    every = {*people, claims_of(world, world.terminal()), claims_of(world, world.staff("CD1001"))}
    statements: list[str] = []
    event.listen(
        world.database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: statements.append(statement),
    )
    assert world.database.read(lambda u: open_claims(u, every)) == every
    assert sum("SELECT" in statement for statement in statements) == 3


@pytest.mark.parametrize("ending", ["sign out everywhere", "sign out", "end session"])
def test_the_end_of_a_session_ends_its_sockets_and_no_other(quick: World, ending: str) -> None:
    actor, other = quick.actor("worker"), quick.actor("retiree")
    with (
        served(quick.database.resources) as server,
        server.socket() as caller,
        server.socket() as quiet,
        server.socket() as stays,
    ):
        for phone, person in ((caller, actor), (quiet, actor), (stays, other)):
            assert start(phone, token_of(quick, person))["type"] == "connection_ack"
        answer = ask(caller, 1, RIGHTS)
        assert answer["payload"]["data"]["personalRights"]["person"]["id"]
        follow = {"id": "f", "type": "subscribe", "payload": {"query": HAPPENINGS}}
        caller.send(json.dumps(follow))
        ENDINGS[ending](quick)
        assert closed(caller) == ENDED
        assert closed(quiet) == ENDED
        kept = ask(stays, 2, RIGHTS)
        assert kept["payload"]["data"]["personalRights"]["person"]["id"]


def test_sockets_on_both_workers_end_with_their_session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each worker takes three sockets and no more, so six open ones are spread over both."""
    folder = tmp_path_factory.mktemp("workers")
    with (
        site_on("sqlite", request, folder, workers=2, YIBAO_SOCKETS_PER_WORKER_MAX="3") as site,
        ExitStack() as sockets,
    ):
        phone = site.phone("worker")
        address = site.url.replace("http", "ws", 1) + "/graphql"

        def opens() -> bool:
            try:
                caller = sockets.enter_context(
                    connect(address, subprotocols=[PROTOCOL], proxy=None)
                )
            except InvalidStatus as refusal:
                statuses.add(refusal.response.status_code)
                return False
            assert start(caller, phone.token)["type"] == "connection_ack"
            payload = {"query": HAPPENINGS}
            caller.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            callers.append(caller)
            return True

        callers: list[ClientConnection] = []
        statuses: set[int] = set()
        for _ in range(6):
            wait_until(opens)
        assert statuses <= {503}
        assert phone.call("SignOutEverywhere")["__typename"] == "DevicesSignedOut"
        over = time.monotonic()
        assert [closed(caller) for caller in callers] == [ENDED] * 6
        assert time.monotonic() - over < 5


def test_terminals_and_withdrawals(quick: World) -> None:
    with served(quick.database.resources) as server, server.socket() as till:
        assert start(till, token_of(quick, quick.terminal()))["type"] == "connection_ack"
        _withdrawn(quick)
        assert closed(till) == ENDED


def test_a_token_that_expires_ends_its_socket_and_a_new_one_opens_another(quick: World) -> None:
    actor = quick.actor("worker")
    old = token_of(quick, actor)
    with served(quick.database.resources) as server:
        with server.socket() as caller:
            assert start(caller, old)["type"] == "connection_ack"
            quick.clock.forward(seconds=quick.settings.access_token_seconds - 1)
            assert ask(caller, 1, RIGHTS)["type"] == "next"
            quick.clock.forward(seconds=1)
            assert closed(caller) == EXPIRED
        with server.socket() as again:
            again.send(json.dumps({"type": "connection_init", "payload": _bearing(old)}))
            assert closed(again) == (4403, "Forbidden")
        with server.socket() as renewed:
            assert start(renewed, token_of(quick, actor))["type"] == "connection_ack"
            assert ask(renewed, 1, RIGHTS)["type"] == "next"


@pytest.mark.parametrize("token", ["Bearer x.y.z", "Basic eDp5", "Bearer ", 5, ["Bearer"]])
def test_a_token_that_is_none_opens_no_socket(world: World, token: Any) -> None:
    with served(world.database.resources) as server, server.socket() as caller:
        payload = {"authorization": token}
        caller.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert closed(caller) == (4403, "Forbidden")


def _bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


# -- each operation by itself -----------------------------------------------------------------------


def test_each_operation_looks_the_caller_up_itself(world: World) -> None:
    """The socket itself still stands: its worker does not look for ended sessions in this test."""
    world.change_settings(socket_check_milliseconds=3_600_000)
    actor = world.actor("worker")
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller, token_of(world, actor))
        assert ask(caller, 1, RIGHTS)["payload"]["data"]
        world.do(safety.sign_out_everywhere, SignOutEverywhere(actor))
        answer = ask(caller, 2, RIGHTS)
        (error,) = answer["payload"]["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert (answer["payload"].get("data") or {}).get("personalRights") is None


def test_each_operation_has_a_context_of_its_own(world: World, monkeypatch: Any) -> None:
    from mobile_bff.context import Context

    seen: list[Context] = []
    resolved = Context.actor

    async def actor(self: Context) -> Any:
        seen.append(self)
        assert self.institutions is self.institutions
        return await resolved(self)

    monkeypatch.setattr(Context, "actor", actor)
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller, token_of(world, world.actor("worker")))
        for number in (1, 2):
            assert ask(caller, number, RIGHTS)["type"] == "next"
    first, second = (next(c for c in seen if c.request_id == i) for i in _in_order(seen))
    assert first.request_id != second.request_id
    assert first.institutions is not second.institutions
    assert {len(first.request_id), len(second.request_id)} == {26}
    assert first.claims == second.claims


def _in_order(contexts: list[Any]) -> list[str]:
    return list(dict.fromkeys(context.request_id for context in contexts))


def test_an_event_forgets_what_was_read_for_the_one_before(world: World, monkeypatch: Any) -> None:
    from mobile_bff.context import Context

    loaders: list[Any] = []
    fresh = Context.fresh_actor

    async def fresh_actor(self: Context) -> Any:
        actor = await fresh(self)
        loaders.append(self.institutions)
        return actor

    monkeypatch.setattr(Context, "fresh_actor", fresh_actor)
    person = world.actor("worker")
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller, token_of(world, person))
        payload = {"query": HAPPENINGS}
        caller.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        topic = f"person:{person.person_id}"
        for number in ("1", "2"):
            world.database.write(lambda u, n=number: enqueue(u, Channel.LIVE, topic, "NOTICE", n))
            happened = hear(caller)["payload"]["data"]["happenings"]
            assert happened == {"about": "NOTICE", "objectId": number}
    assert len(loaders) == 2
    assert loaders[0] is not loaders[1]


# -- counted like requests --------------------------------------------------------------------------


def test_messages_count_with_the_requests_of_their_address(world: World) -> None:
    world.change_settings(requests_per_minute_per_address=30)
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller)
        answers = [ask(caller, number, "{ __typename }") for number in range(40)]
        refused = [answer for answer in answers if answer["type"] == "error"]
        assert len(answers) - len(refused) in (28, 29)  # handshake and start count; some come back
        (error,) = refused[0]["payload"]
        assert error["extensions"] == {"code": "TOO_MANY_REQUESTS"}
        with httpx.Client(trust_env=False) as http:
            flooded = http.post(f"{server.url}/graphql", json={"query": "{ __typename }"})
        assert flooded.status_code == 429
        with pytest.raises(InvalidStatus) as shut, server.socket():
            pass
        assert shut.value.response.status_code == 429
        body = json.loads(shut.value.response.body)
        assert body["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
        caller.send(json.dumps({"type": "ping"}))
        assert closed(caller) == (4429, "Too many requests")


def test_a_caller_who_goes_on_after_refusals_is_closed(world: World) -> None:
    world.change_settings(requests_per_minute_per_address=3)
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller)
        message = {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}}
        with suppress(ConnectionClosed):  # the server may end it while the caller goes on
            for _ in range(60):
                caller.send(json.dumps(message))
        assert closed(caller) == (4429, "Too many requests")


def test_sockets_of_an_address_and_of_a_worker_are_bounded(world: World) -> None:
    world.change_settings(
        sockets_per_address_max=2, sockets_per_worker_max=3, trusted_proxies="127.0.0.1"
    )

    def opened(address: str) -> Any:
        return server.socket(additional_headers={"x-forwarded-for": address})

    def status(address: str) -> int:
        try:
            with opened(address) as caller:
                assert start(caller)["type"] == "connection_ack"
                return 101
        except InvalidStatus as refusal:
            return refusal.response.status_code

    with served(world.database.resources) as server, opened("192.0.2.1") as first:
        assert start(first)["type"] == "connection_ack"
        with opened("192.0.2.1") as second:
            assert start(second)["type"] == "connection_ack"
            assert status("192.0.2.1") == 429
            with opened("192.0.2.2") as third:
                assert start(third)["type"] == "connection_ack"
                assert status("192.0.2.3") == 503
        wait_until(lambda: status("192.0.2.1") == 101)


def test_ten_operations_run_at_once(world: World) -> None:
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller, token_of(world, world.actor("worker")))
        for number in range(10):
            payload = {"query": HAPPENINGS}
            message = {"id": str(number), "type": "subscribe", "payload": payload}
            caller.send(json.dumps(message))
        answer = ask(caller, 10, "{ __typename }")
        assert (answer["id"], answer["type"]) == ("10", "error")
        assert answer["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
        caller.send(json.dumps({"id": "0", "type": "complete"}))
        assert ask(caller, 11, "{ __typename }")["type"] == "next"


@pytest.mark.parametrize(
    "message",
    [
        [],
        None,
        "text",
        {"type": 5},
        {"type": "x" * 500},
        {"type": "subscribe", "id": [], "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "i" * 200, "payload": {"query": "{ __typename }"}},
        {"type": "subscribe", "id": "1", "payload": None},
        {"type": "subscribe", "id": "1", "payload": {"query": ["{ __typename }"]}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": {}}},
        {"type": "complete", "id": {}},
        {"type": "complete"},
    ],
)
def test_messages_of_no_shape_close_the_socket(world: World, message: Any) -> None:
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller)
        caller.send(json.dumps(message))
        assert closed(caller)[0] == 4400


def test_deep_messages_close_the_socket(world: World) -> None:
    with served(world.database.resources) as server, server.socket() as caller:
        start(caller)
        caller.send("[" * 60_000)
        assert closed(caller)[0] == 4400
