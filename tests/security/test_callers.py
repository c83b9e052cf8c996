"""By which address a caller is counted, what headers say, and what settings refuse."""

from __future__ import annotations

import uuid
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.infra.settings import Settings, SettingsError
from mobile_bff import documents
from mobile_bff.addresses import caller_address
from tests.serving import served, token_of
from tests.world import World

INSIDE = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"), ip_network("127.0.0.1"))


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", [b"198.51.100.1"], "192.0.2.7"),  # no proxy: its header says nothing
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [b"203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [b"203.0.113.9", b"198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [b"203.0.113.9, 198.51.100.1,10.0.0.3 , 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [b"198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", [b"[2001:db8:1:2:3:4:5:6]:4711"], "2001:db8:1:2::/64"),
        ("10.0.0.1", [b"2001:db8:1:2:aaaa:bbbb:cccc:dddd"], "2001:db8:1:2::/64"),
        ("10.0.0.1", [b"fe80::1%eth0"], "fe80::/64"),
        ("10.0.0.1", [b"::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
        ("2001:db8:ffff::5", [b"198.51.100.1"], "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("10.0.0.1", [b"198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", [b"198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [b"a" * 5_000], "10.0.0.1"),
        ("10.0.0.1", [b"198.51.100.1, " + b"1" * 5_000], "10.0.0.1"),
        ("10.0.0.1", [b",".join([b"198.51.100.1"] * 5_000)], "198.51.100.1"),
        ("10.0.0.1", [b"198.51.100.1, "], "10.0.0.1"),
        ("10.0.0.1", [b"198.51.100.1\xff\x00"], "10.0.0.1"),
        ("10.0.0.1", [b"[2001:db8::1"], "10.0.0.1"),
        ("10.0.0.1", [b"3221225985"], "10.0.0.1"),
        ("/run/server.sock", [b"198.51.100.1"], ""),
        ("", [], ""),
    ],
)
def test_the_right_most_address_that_is_no_proxys_counts(
    peer: str, headers: list[bytes], address: str
) -> None:
    assert caller_address(peer, headers, INSIDE) == address


def test_more_hops_than_any_installation_has_are_not_read() -> None:
    hops = [b"10.0.0.2"] * 30
    hops[0] = b"198.51.100.1"
    assert caller_address("10.0.0.1", [b",".join(hops)], INSIDE) == "10.0.0.2"


def _flooded(http: httpx.Client, url: str, address: str) -> bool:
    headers = {"accept": "application/json", "x-forwarded-for": address}
    answers = [
        http.post(f"{url}/graphql", json={"query": "{ __typename }"}, headers=headers)
        for _ in range(4)
    ]
    return answers[-1].status_code == 429


def test_a_header_of_nobody_trusted_gives_no_fresh_bucket(world: World) -> None:
    world.change_settings(requests_per_minute_per_address=3)
    with served(world.database.resources) as server, httpx.Client(trust_env=False) as http:
        assert _flooded(http, server.url, "198.51.100.1")
        assert http.get(f"{server.url}/health/live").status_code == 429
        other = {"x-forwarded-for": "198.51.100.2"}
        assert http.get(f"{server.url}/health/live", headers=other).status_code == 429


def test_a_subscriber_of_ipv6_has_one_bucket(world: World) -> None:
    world.change_settings(requests_per_minute_per_address=3, trusted_proxies="127.0.0.0/8")
    with served(world.database.resources) as server, httpx.Client(trust_env=False) as http:
        assert _flooded(http, server.url, "2001:db8:1:2::1")
        same, another = "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"
        for address, status in ((same, 429), (another, 200)):
            headers = {"x-forwarded-for": address}
            answer = http.get(f"{server.url}/health/live", headers=headers)
            assert answer.status_code == status


def test_codes_by_message_count_for_the_same_address(world: World) -> None:
    """The database's own count of an address is kept under the same name as the bucket's."""
    world.change_settings(sms_per_address_per_hour=2, trusted_proxies="127.0.0.1")

    def kind(address: str, number: int) -> str:
        headers = {"accept": "application/json", "x-forwarded-for": address}
        asked = {"input": {"phone": f"1200000{number:04}"}}
        body = {"query": documents.document("RequestSignInCode"), "variables": asked}
        answer = http.post(f"{server.url}/graphql", json=body, headers=headers).json()
        return str(answer["data"]["requestSignInCode"]["__typename"])

    with served(world.database.resources) as server, httpx.Client(trust_env=False) as http:
        assert kind("2001:db8:1:2::1", 1) == "SignInCodeRequested"
        assert kind("junk, 2001:db8:1:2::2", 2) == "SignInCodeRequested"
        assert kind("203.0.113.1, 2001:db8:1:2::3", 3) == "TooManyCodes"
        assert kind("2001:db8:1:3::3", 4) == "SignInCodeRequested"
    with world.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT bucket, hits FROM rate_window")).all()
    sent = [(bucket, hits) for bucket, hits in rows if bucket.startswith("sms-from:")]
    assert sorted(hits for _, hits in sent) == [1, 2]  # the refused request counts nowhere
    assert not any("2001" in bucket for bucket, _ in sent)


def test_reports_without_a_name_count_of_signed_in_callers_count_for_their_address(
    world: World,
) -> None:
    world.change_settings(anonymous_reports_per_address_per_day=1, trusted_proxies="127.0.0.1")

    def kind(address: str, person: str) -> str:
        headers = {"accept": "application/json", "x-forwarded-for": address}
        if person:
            headers["authorization"] = f"Bearer {token_of(world, world.actor(person))}"
        report = {
            "requestId": str(uuid.uuid4()),
            "realName": False,
            "kind": "SWAPPED",
            "target": "示例药店",
            "facts": "收银员把生活用品按药品刷医保，多次看见，货架在门口左侧第二排。",
            "region": "510104",
        }
        body = {"query": documents.document("LodgeReport"), "variables": {"input": report}}
        answer = http.post(f"{server.url}/graphql", json=body, headers=headers).json()
        return str(answer["data"]["lodgeReport"]["__typename"])

    with served(world.database.resources) as server, httpx.Client(trust_env=False) as http:
        assert kind("192.0.2.1", "worker") == "ReportReceipt"
        assert kind("192.0.2.1", "") == "TooManyReports"
        assert kind("192.0.2.1", "retiree") == "TooManyReports"
        assert kind("192.0.2.2", "retiree") == "ReportReceipt"


# -- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("TRUSTED_PROXIES", "10.0.0.1/8", "YIBAO_TRUSTED_PROXIES cannot be read"),
        ("TRUSTED_PROXIES", "proxy.example", "YIBAO_TRUSTED_PROXIES cannot be read"),
        ("TRUSTED_PROXIES", "*", "YIBAO_TRUSTED_PROXIES cannot be read"),
        ("TRUSTED_PROXIES", "10.0.0.1, 0.0.0.0/0", "everybody"),
        ("TRUSTED_PROXIES", "::/0", "everybody"),
        ("SOCKETS_PER_WORKER_MAX", "4000", "CONNECTIONS_PER_WORKER_MAX"),
        ("SOCKET_CHECK_MILLISECONDS", "0", "YIBAO_SOCKET_CHECK_MILLISECONDS is at least 1"),
        ("REQUEST_HEAD_SECONDS", "-1", "YIBAO_REQUEST_HEAD_SECONDS is at least 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_start(
    name: str, text: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings.from_environment({f"YIBAO_{name}": text})


def test_proxies_are_addresses_and_networks() -> None:
    given = {"YIBAO_TRUSTED_PROXIES": "10.0.0.1, 192.168.0.0/16,2001:db8::/32, "}
    assert Settings.from_environment(given).trusted_proxy_networks == (
        ip_network("10.0.0.1/32"),
        ip_network("192.168.0.0/16"),
        ip_network("2001:db8::/32"),
    )
    assert Settings.from_environment({}).trusted_proxy_networks == ()


# -- headers ----------------------------------------------------------------------------------------

_NONE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "path",
    [
        *("/health/live", "/health/ready", "/.well-known/jwks.json", "/nowhere", "/graphql"),
        *("/certificates/x.pdf", "/exports/settlements.csv", "/materials/x/content"),
        *("/reports/evidence/x", "/.well-known/identity-trust.jwt"),
    ],
)
def test_every_answer_says_that_nothing_may_use_it(world: World, path: str) -> None:
    with served(world.database.resources) as server:
        answer = httpx.get(server.url + path, trust_env=False)
    assert answer.headers["content-security-policy"] == _NONE
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers
    assert answer.headers["date"]


def _policy(answer: httpx.Response) -> dict[str, Any]:
    parts = answer.headers["content-security-policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


@pytest.mark.parametrize("path", ["/verify", "/verify/nothing", "/verify?code=nothing"])
def test_the_page_to_verify_is_framed_by_nobody(world: World, path: str) -> None:
    with served(world.database.resources) as server:
        answer = httpx.get(server.url + path, trust_env=False)
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    assert len(answer.headers.get_list("content-security-policy")) == 1
    policy = _policy(answer)
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "default-src": "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
