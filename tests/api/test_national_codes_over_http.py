"""The national 医保码 at a till, decoded by the platform's sandbox in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from backend.sample_data.people import civil_records
from mobile_bff.processes import national_platform
from tests.api.conftest import Site, site_on
from tests.world import LEVEL_3


@dataclass(frozen=True)
class Nation:
    """A site and the platform that it asks."""

    site: Site
    platform: str

    def code(self, name: str, area: str = "510100") -> str:
        number = next(n for n, one in civil_records().items() if one.name == name)
        asked = {"idNumber": number, "insuOrg": area}
        answer = self.site.http.post(f"{self.platform}/sandbox/codes", json=asked)
        return str(answer.json()["ecQrCode"])


def nation_with(
    request: pytest.FixtureRequest, factory: pytest.TempPathFactory, kind: str, *faults: str
) -> Iterator[Nation]:
    with (
        national_platform(*faults) as platform,
        site_on(
            kind, request, factory.mktemp("nation"), YIBAO_NATIONAL_PLATFORM_URL=platform
        ) as site,
    ):
        yield Nation(site, platform)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def nation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nation]:
    yield from nation_with(request, tmp_path_factory, request.param)


@pytest.fixture(scope="module")
def troubled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nation]:
    faults = (
        "--fail-first",
        "1",
        "--garbage-first",
        "1",
        "--forge-first",
        "1",
        "--mask-first",
        "1",
    )
    yield from nation_with(request, tmp_path_factory, "sqlite", *faults)


def test_a_national_code_names_its_holder_once(nation: Nation) -> None:
    till, text = nation.site.terminal(), nation.code("王样例")
    assert (len(text), text[:3], text[-6:]) == (28, "424", "510000")
    fields = {"requestId": "7b0e7c1e-national-1", "text": text, "purpose": "PHARMACY_PURCHASE"}
    found = till.do("ResolveCode", **fields)
    assert (found["kind"], found["authority"]) == ("NATIONAL", "NATIONAL_PLATFORM")
    assert (found["confirmed"], found["person"]["maskedName"]) == (True, "王*例")
    assert "不使用个人账户" in found["nextAction"]
    assert found["scanned"]["token"]
    assert till.do("ResolveCode", **fields) == found  # the till lost the answer
    used = till.do_once("ResolveCode", text=text, purpose="PHARMACY_PURCHASE")
    assert used["code"] == "CODE_UNKNOWN"
    lines = [{"code": "XA01ABD075A002010100483", "quantity": "1", "unitPrice": "10.00"}]
    bill = till.do_once("Presettle", token=found["scanned"]["token"], lines=lines)
    assert bill.get("code") not in ("GRANT_NOT_VALID", "SIGN_IN_REQUIRED")


def test_who_is_insured_elsewhere_is_told_what_to_do(nation: Nation) -> None:
    till = nation.site.terminal(LEVEL_3)
    text = nation.code("余样例", "440100")
    refused = till.do_once("ResolveCode", text=text, purpose="OUTPATIENT_SETTLEMENT")
    assert (refused["code"], "广州市" in refused["message"]) == ("INSURED_ELSEWHERE", True)
    assert "异地就医" in refused["nextAction"]


def test_a_frozen_account_stays_frozen_for_the_national_code(nation: Nation) -> None:
    nation.site.phone("retiree").do("FreezeAccount", reason="")
    text = nation.code("王样例")
    refused = nation.site.terminal().do_once("ResolveCode", text=text, purpose="PHARMACY_PURCHASE")
    assert refused["code"] == "ACCOUNT_FROZEN"


def test_a_platform_in_trouble_is_never_believed(troubled: Nation) -> None:
    till = troubled.site.terminal()
    for _ in range(3):  # 503, no JSON, signed by a stranger
        text = troubled.code("王样例")
        refused = till.do_once("ResolveCode", text=text, purpose="PHARMACY_PURCHASE")
        assert (refused["code"], refused["retry"]) == ("NATIONAL_PLATFORM_SILENT", "SAME_REQUEST")
    text = troubled.code("王样例")
    masked = till.do_once("ResolveCode", text=text, purpose="PHARMACY_PURCHASE")
    assert masked["code"] == "CODE_OF_OTHER_AUTHORITY"
    assert "身份证" in masked["nextAction"]
    text = troubled.code("王样例")
    assert till.do_once("ResolveCode", text=text, purpose="PHARMACY_PURCHASE")["confirmed"]
    assert (
        till.do_once("ResolveCode", text="424" + "0" * 25, purpose="PHARMACY_PURCHASE")["code"]
        == "CODE_UNKNOWN"
    )
