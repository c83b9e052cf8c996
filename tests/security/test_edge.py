"""The GraphQL edge against what clients, audits and attackers send."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from mobile_bff import documents
from mobile_bff.desk.schema import DESK_DOCUMENTS
from tests.api.conftest import Site, site_on

NEWER = "application/graphql-response+json"
PLAIN = "application/json"
QUERY = "{ __typename }"


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with site_on("sqlite", request, tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture(scope="module")
def production(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("production")
    outside = ("SMS_GATEWAY", "PUSH_GATEWAY", "CIVIL_REGISTER", "NATIONAL_PLATFORM")
    settings = {f"YIBAO_{name}_SECRET": "of-production" for name in outside}
    settings["YIBAO_MODE"] = "production"
    with site_on("sqlite", request, folder, ("--secret", "of-production"), **settings) as running:
        yield running


def send(
    site: Site, body: Any, accept: str = PLAIN, content_type: str = PLAIN, **headers: str
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"accept": accept, "content-type": content_type, **headers}
    return site.http.post(f"{site.url}/graphql", content=content, headers=all_headers)


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


# -- GraphQL over HTTP ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (PLAIN, PLAIN),
        (NEWER, NEWER),
        ("*/*", PLAIN),
        ("", PLAIN),
        (f"{NEWER}, {PLAIN};q=0.9", NEWER),
        (f"{PLAIN}, {NEWER};q=0.9", PLAIN),
        (f"{NEWER};q=0, {PLAIN}", PLAIN),
        (f"{NEWER}; charset=utf-8", NEWER),
    ],
)
def test_media_types(site: Site, accept: str, media: str) -> None:
    answer = send(site, {"query": QUERY}, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
        (
            {"query": "query($n: Int!) { __typename @skip(if: $n) }", "variables": {"n": "x"}},
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            {
                "query": "query($i: ID!) { node(id: $i) { id } }",
                "variables": {"i": {"a": 1}},
            },
            "BAD_USER_INPUT",
        ),
    ],
)
def test_request_errors_have_the_status_of_their_media_type(
    site: Site, body: Any, code: str
) -> None:
    newer, plain = send(site, body, NEWER), send(site, body, PLAIN)
    assert (newer.status_code, plain.status_code) == (400, 200)
    for answer in (newer, plain):
        assert codes(answer) == [code]
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b'"text"', b"[]", b"{", b"\xff\xfe", b"[" * 30_000, b"NaN", b'{"query": 1}',
     b'{"query": "{ __typename }", "variables": []}', b'{"variables": {}}'],
)  # fmt: skip
def test_malformed_bodies(site: Site, body: bytes) -> None:
    answer = send(site, body)
    assert answer.status_code == 400
    assert codes(answer) == ["BAD_REQUEST"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_texts_that_no_database_holds(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    query = "query($c: String!) { publicServices { institution(code: $c) { name } } }"
    literal = 'query { publicServices { institution(code: "a\\u0000b") { name } } }'
    with site_on(kind, request, tmp_path_factory.mktemp("texts")) as site:
        for bad in ("a\\u0000b", "\\ud800", "\\udfff\\ud800"):
            body = json.dumps({"query": query, "variables": {"c": "@"}}).replace("@", bad)
            answer = send(site, body.encode())
            assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        assert send(site, {"query": literal}).status_code == 400
        whole = {"query": query, "variables": {"c": "💊𠮷"}}
        assert send(site, whole).json() == {"data": {"publicServices": {"institution": None}}}
        parameters = {"query": literal}
        got = site.http.get(f"{site.url}/graphql", params=parameters, headers={"accept": PLAIN})
        assert got.status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_what_a_cross_site_form_can_send_is_refused(site: Site, content_type: str) -> None:
    assert send(site, {"query": QUERY}, content_type=content_type).status_code == 400


def test_get(site: Site) -> None:
    address = f"{site.url}/graphql"
    given = {"query": QUERY}
    named = site.http.get(address, params=given, headers={"accept": PLAIN})
    assert named.json() == {"data": {"__typename": "Query"}}
    assert site.http.get(address, params=given, headers={"accept": "*/*"}).status_code == 400
    preflight = {"accept": "*/*", "x-yibao-request": "1"}
    assert site.http.get(address, params=given, headers=preflight).status_code == 200
    mutation = {"query": "mutation { signOut { __typename } }"}
    answer = site.http.get(address, params=mutation, headers={"accept": PLAIN})
    assert answer.status_code in (400, 405)


def test_other_methods(site: Site) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        answer = site.http.request(method, f"{site.url}/graphql")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


def test_every_answer_carries_its_frame(site: Site) -> None:
    answer = send(site, {"query": QUERY})
    assert len(answer.headers["x-request-id"]) == 26
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


# -- limits ---------------------------------------------------------------------------------------

_LEVELS = "{ personalRights { settlements { edges { node { institution "


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("aliases", "{" + " ".join(f"a{n}: __typename" for n in range(1000)) + "}"),
        ("directives", "{ __typename " + "@skip(if: false) " * 100 + "}"),
        ("unknown directives", "{ __typename " + "@aa " * 500 + "}"),
        ("operations", " ".join(f"query Q{n} {{ __typename }}" for n in range(50))),
        ("depth", "{ a" * 60 + " }" * 60),
        ("tokens", "{ " + "__typename " * 3000 + "}"),
        (
            "lists in lists",
            "{ personalRights { accounts { lines(first: 100) { edges { node { "
            + "amount { fen } balanceAfter { fen } " * 20
            + "} } } } } }",
        ),
        ("ids", "{ nodes(ids: [" + '"x" ' * 101 + "]) { id } }"),
        ("images", "mutation { " + "".join(
            f'a{n}: issueCode(input: {{requestId: "{n}", purpose: PHARMACY_PURCHASE}}) '
            "{ ... on UnifiedCode { qrSvg qrPngBase64 } } " for n in range(200)) + "}"),
        ("fragments", "{ ...A } fragment A on Query { ...B ...B } " + " ".join(
            f"fragment {chr(66 + n)} on Query {{ ...{chr(67 + n)} ...{chr(67 + n)} }}"
            for n in range(18)) + " fragment T on Query { __typename }"),
    ],
)  # fmt: skip
def test_what_is_too_large(site: Site, name: str, query: str) -> None:
    answer = send(site, {"query": query})
    assert answer.status_code == 200
    assert len(answer.json()["errors"]) <= 10
    assert set(codes(answer)) <= {"OPERATION_TOO_LARGE", "GRAPHQL_PARSE_FAILED"}, answer.text[:500]
    assert answer.elapsed.total_seconds() < 3


def test_big_bodies(site: Site) -> None:
    answer = send(site, b'{"query": "' + b" " * 70_000 + b'"}')
    assert answer.status_code == 413
    assert codes(answer) == ["BODY_TOO_LARGE"]


def test_batches_are_refused(site: Site) -> None:
    assert send(site, [{"query": QUERY}] * 3).status_code == 400


def test_suggestions_are_not_given(site: Site) -> None:
    near_misses = [
        "{ viewerr { id } }",
        "{ viewer { maskedNam } }",
        '{ publicServices { institutions(divisionCod: "510104", kind: PHARMACY) { code } } }',
        '{ publicServices { institutions(divisionCode: "510104", kind: PHARMAC) { code } } }',
        "query($i: SignInInpu!) { __typename }",
        "{ __typename @skp(if: true) }",
        "{ viewer { ...on Perso { id } } }",
    ]
    for query in near_misses:
        answer = send(site, {"query": query})
        assert answer.json()["errors"], query
        assert "Did you mean" not in answer.text, query
    mutation = "mutation($i: IssueCodeInput!) { issueCode(input: $i) { __typename } }"
    variables = {"i": {"requestId": "r", "purpos": "PHARMACY_PURCHAS"}}
    assert "Did you mean" not in send(site, {"query": mutation, "variables": variables}).text


def test_bad_ids_are_the_callers_mistake(site: Site) -> None:
    for bad in ("", "x", "Om9wZQ==", "Tm9wZTox", "U2V0dGxlbWVudDo=", "💊"):
        answer = send(site, {"query": f'{{ node(id: "{bad}") {{ id }} }}'})
        errors = answer.json().get("errors", [])
        assert all(e["extensions"]["code"] == "BAD_USER_INPUT" for e in errors), answer.text
        assert answer.json().get("data", {}).get("node") is None


@pytest.mark.parametrize("value", ['"1e3"', '"-"', '"1.00001"', '"９"', "5", '"' + "9" * 40 + '"'])
def test_bad_numbers_are_the_callers_mistake(site: Site, value: str) -> None:
    query = (
        'mutation { presettle(input: {requestId: "r", token: "t", lines: '
        f'[{{code: "c", quantity: {value}, unitPrice: "1.00"}}]}}) {{ __typename }} }}'
    )
    answer = send(site, {"query": query})
    assert set(codes(answer)) <= {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}


def test_a_flood_from_one_address_is_slowed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("flood")
    few = {"YIBAO_REQUESTS_PER_MINUTE_PER_ADDRESS": "30"}
    with site_on("sqlite", request, folder, **few) as site:
        answers = [send(site, {"query": QUERY}) for _ in range(80)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].headers["retry-after"] == "1"
        assert codes(refused[0]) == ["TOO_MANY_REQUESTS"]


# -- persisted documents --------------------------------------------------------------------------


def _persisted(document: str) -> dict[str, Any]:
    digest = hashlib.sha256(document.encode()).hexdigest()
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


def test_automatic_persisted_queries(site: Site) -> None:
    document = "{ appModules { title } }"
    unknown = send(site, {"extensions": _persisted(document)})
    assert unknown.status_code == 200
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert codes(unknown) == ["PERSISTED_QUERY_NOT_FOUND"]
    wrong = send(site, {"query": "{ viewer { id } }", "extensions": _persisted(document)})
    assert wrong.status_code == 400
    for _ in range(8):  # each worker learns it for itself
        full = send(site, {"query": document, "extensions": _persisted(document)})
        assert "data" in full.json()
    assert "data" in send(site, {"extensions": _persisted(document)}).json()


def test_production_runs_the_apps_documents_only(production: Site) -> None:
    own = documents.document("AppModules")
    assert "data" in send(production, {"query": own}).json()
    assert "data" in send(production, {"extensions": _persisted(own)}).json()
    foreign = send(production, {"query": "{ appModules { title } }"})
    assert codes(foreign) == ["PERSISTED_QUERY_NOT_FOUND"]
    registered = {
        "query": "{ appModules { title } }",
        "extensions": _persisted("{ appModules { title } }"),
    }
    assert codes(send(production, registered)) == ["PERSISTED_QUERY_NOT_FOUND"]


def test_production_runs_the_desks_documents_at_the_desk_only(production: Site) -> None:
    me = documents.document("Me", DESK_DOCUMENTS)
    address = f"{production.url}/desk/graphql"
    headers = {"accept": "application/json"}
    answer = production.http.post(address, json={"query": me}, headers=headers)
    assert answer.json()["data"] == {"me": None}
    for url, query in ((address, documents.document("AppModules")), (address, "{ __typename }")):
        foreign = production.http.post(url, json={"query": query}, headers=headers)
        assert codes(foreign) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert codes(send(production, {"query": me})) == ["PERSISTED_QUERY_NOT_FOUND"]


def test_introspection_is_for_signed_in_callers_in_production(production: Site) -> None:
    # only own documents run there at all, so even a signed-in caller gets none
    answer = send(production, {"query": "{ __schema { queryType { name } } }"})
    assert codes(answer) == ["PERSISTED_QUERY_NOT_FOUND"]


def test_introspection_is_open_in_development(site: Site) -> None:
    answer = send(site, {"query": "{ __schema { queryType { name } } }"})
    assert answer.json()["data"]["__schema"]["queryType"]["name"] == "Query"


# -- tokens ---------------------------------------------------------------------------------------


def test_tokens_that_are_none(site: Site) -> None:
    import jwt as pyjwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    good = site.phone("worker").token
    kid = pyjwt.get_unverified_header(good)["kid"]
    payload = pyjwt.decode(good, options={"verify_signature": False})
    own_key = Ed25519PrivateKey.generate()
    terminal = site.terminal().token
    forged = {
        "another key": pyjwt.encode(payload, own_key, "EdDSA", {"kid": kid}),
        "no algorithm": pyjwt.encode(payload, "", "none", {"kid": kid}),
        "unknown key": pyjwt.encode(payload, own_key, "EdDSA", {"kid": "s0"}),
        "altered": good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"),
        "a terminal's": terminal,
        "not a token": "x.y.z",
    }
    for name, token in forged.items():
        answer = send(
            site,
            {"query": documents.document("MyRights")},
            authorization=f"Bearer {token}",
        )
        assert answer.json()["errors"][0]["extensions"]["code"] in (
            "UNAUTHENTICATED",
            "FORBIDDEN",
        ), name


def test_a_token_expires(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import time

    short = {"YIBAO_ACCESS_TOKEN_SECONDS": "2"}
    with site_on("sqlite", request, tmp_path_factory.mktemp("short"), **short) as site:
        phone = site.phone("worker")
        assert phone.call("MyRights")["person"]
        time.sleep(2.1)
        answer = phone.post({"query": documents.document("MyRights")})
        assert codes(answer) == ["UNAUTHENTICATED"]


# -- sockets --------------------------------------------------------------------------------------


def _socket(site: Site, **more: Any) -> Any:
    address = site.url.replace("http", "ws", 1) + "/graphql"
    return connect(address, subprotocols=["graphql-transport-ws"], proxy=None, **more)


def _say(socket: Any, message: dict[str, Any]) -> dict[str, Any]:
    socket.send(json.dumps(message))
    answer: dict[str, Any] = json.loads(socket.recv(timeout=10))
    return answer


def test_a_bad_document_does_not_end_the_socket(site: Site) -> None:
    with _socket(site) as socket:
        assert _say(socket, {"type": "connection_init"})["type"] == "connection_ack"
        for number, query in enumerate(("{", "subscription { nope }", "{ viewer { nope } }")):
            message = {"id": str(number), "type": "subscribe", "payload": {"query": query}}
            answer = _say(socket, message)
            assert (answer["type"], answer["id"]) == ("error", str(number))
        assert _say(socket, {"type": "ping"})["type"] == "pong"


def test_nobody_follows_bills(site: Site) -> None:
    with _socket(site) as socket:
        _say(socket, {"type": "connection_init"})
        payload = {"query": documents.document("BillEvents")}
        answer = _say(socket, {"id": "1", "type": "subscribe", "payload": payload})
        assert "UNAUTHENTICATED" in json.dumps(answer)


def test_production_sockets_run_the_apps_documents_only(production: Site) -> None:
    with _socket(production) as socket:
        _say(socket, {"type": "connection_init"})
        payload = {"query": "subscription { billEvents { kind } }"}
        answer = _say(socket, {"id": "1", "type": "subscribe", "payload": payload})
        assert "PERSISTED_QUERY_NOT_FOUND" in json.dumps(answer)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", 4400),
        ('{"type": "ping", "payload": {"a": "\\u0000"}}', 4400),
        ('{"type": "ping", "payload": {"a": "\\ud800"}}', 4400),
        ('{"type": "nonsense"}', 4400),
        ('{"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { id } }"}}', 4401),
    ],
)
def test_close_codes(site: Site, message: str, code: int) -> None:
    with _socket(site) as socket:
        socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


def test_other_origins_are_refused(site: Site) -> None:
    with pytest.raises(Exception, match="403"), _socket(site, origin="https://evil.example"):
        pass
