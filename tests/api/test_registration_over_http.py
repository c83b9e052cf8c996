"""Registering over real HTTP, with the civil register's sandbox in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from backend.sample_data.people import civil_records
from mobile_bff.processes import civil_register, newest_code
from tests.api.conftest import Site, site_on


@dataclass(frozen=True)
class Town:
    """A site with a register that fails a few times first."""

    site: Site


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    faults = ("--fail-first", "2", "--garbage-first", "2", "--forge-first", "2")
    with (
        civil_register(*faults) as register,
        site_on(
            request.param,
            request,
            tmp_path_factory.mktemp("town"),
            YIBAO_CIVIL_REGISTER_URL=register,
        ) as site,
    ):
        yield Town(site)


def number_of(name: str) -> str:
    return next(number for number, one in civil_records().items() if one.name == name)


def test_a_register_that_fails_lies_and_then_answers(town: Town) -> None:
    site, phone = town.site, "12000000911"
    client = site.anonymous()
    assert client.do("RequestRegistrationCode", phone=phone)["expiresAt"]
    fields = {
        "name": "新样例",
        "idNumber": number_of("新样例"),
        "phone": phone,
        "code": newest_code(site.mailbox, phone),
        "deviceName": "新手机",
    }
    # each request asks twice: 503 twice, then no JSON twice, then answers signed by a stranger twice
    for _ in range(3):
        refused = client.do("Register", **fields)
        assert (refused["code"], refused["retry"]) == ("REGISTER_UNAVAILABLE", "SAME_REQUEST")
    opened = client.do("Register", **fields)
    assert opened["__typename"] == "Session", opened
    client.token = opened["accessToken"]
    (device,) = client.call("Devices")
    assert device["name"] == "新手机"
    again = client.do("Register", **fields)
    assert again["code"] == "CODE_WRONG"


def test_the_dead_and_the_misnamed_are_refused_alike(town: Town) -> None:
    site = town.site
    for phone, name, number in (
        ("12000000912", "故样例", number_of("故样例")),
        ("12000000913", "新样例", number_of("余样例")),
    ):
        client = site.anonymous()
        client.do("RequestRegistrationCode", phone=phone)
        code = newest_code(site.mailbox, phone)
        refused = client.do(
            "Register", name=name, idNumber=number, phone=phone, code=code, deviceName="x"
        )
        assert refused["code"] == "IDENTITY_NOT_CONFIRMED"


def test_without_a_register_nothing_is_lost(lone_site: Site) -> None:
    client, phone = lone_site.anonymous(), "12000000914"
    client.do("RequestRegistrationCode", phone=phone)
    code = newest_code(lone_site.mailbox, phone)
    number = number_of("余样例")
    refused = client.do(
        "Register", name="余样例", idNumber=number, phone=phone, code=code, deviceName="x"
    )
    assert refused["code"] == "REGISTER_UNAVAILABLE"
    assert "仍然有效" in refused["speechText"]
