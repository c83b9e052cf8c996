"""The whole story of a filing over real HTTP, with the platform's faults, on both databases."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from PIL import Image

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day
from backend.sample_data.people import sample_people
from mobile_bff.client import CallFailed
from mobile_bff.demo import Stage
from mobile_bff.processes import national_platform
from mobile_bff.tour import FATHER, FAULTS, HOSPITAL, walk
from tests.api.conftest import Site, site_on
from tests.api.test_desk_over_http import at_desk


@dataclass(frozen=True)
class Country:
    """A site, and the platform that hospitals elsewhere ask."""

    site: Site
    platform: str


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def country(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Country]:
    with (
        national_platform(*FAULTS) as platform,
        site_on(
            request.param,
            request,
            tmp_path_factory.mktemp("country"),
            YIBAO_NATIONAL_PLATFORM_URL=platform,
        ) as site,
    ):
        yield Country(site, platform)


def test_a_daughter_files_for_her_father_who_settles_directly(country: Country) -> None:
    site = country.site
    story = walk(Stage(10), site.url, site.mailbox)
    assert story.before["can"] is True
    assert [one["code"] for one in story.before["reasons"]] == ["NO_FILING"]
    preview = story.draft["preview"]
    assert (preview["atOnce"], preview["missing"], preview["provisional"]) == (True, [], True)
    assert len(preview["waysToUnlock"]) == 2
    assert story.failed["status"]["code"] == "UPLOAD_FAILED"
    assert [one["code"] for one in story.meanwhile["reasons"]] == ["NOT_SEEN_YET"]
    seen = [one["filingId"] for one in story.seen_at_desk["failedUploads"]]
    assert seen == [story.failed["filingId"]]
    assert (story.effective["state"], story.effective["lockedUntil"]) == (
        "EFFECTIVE",
        preview["lockedUntil"],
    )
    assert [one["code"] for one in story.after["reasons"]] == ["FILED"]
    assert story.after["rate"] == story.before["rateIfFiled"]
    assert story.stay["filing"] == "LONG_TERM_RESIDENT"
    total, fund, cash = (story.settled[key]["fen"] for key in ("total", "fund", "cash"))
    assert (total, fund > 0, fund + cash + story.settled["account"]["fen"]) == (
        900_000,
        True,
        total,
    )
    steps = [one["text"] for one in story.followed["matter"]["steps"]]
    assert steps == ["即时办结", "生效"]
    assert story.followed["matter"]["relation"] == "PARENT"
    # what a hospital elsewhere reads: one filing, though its first answer was lost
    number = sample_people()[FATHER][1]
    asked = httpx.post(
        f"{country.platform}/sandbox/filings", json={"certno": number}, trust_env=False
    )
    [told] = asked.json()["filings"]
    assert (told["out_fil_id"], told["vali_flag"]) == (story.failed["filingId"], "1")
    assert (told["insuplc_admdvs"], told["mdtrtarea_admdvs"]) == ("510100", "110100")


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (900, 700), (200, 180, 210)).save(made, "PNG")
    return made.getvalue()


def test_papers_go_in_are_reviewed_and_come_out(country: Country) -> None:
    site = country.site
    phone = site.phone("worker_2")
    saved = phone.do_once(
        "SaveFiling",
        kind="STATIONED",
        areaCode="310100",
        starts=local_day(SystemClock().now()).isoformat(),
        route="MATERIALS",
    )
    matter = saved["matter"]["matterId"]
    missing = phone.do_once("SubmitFiling", matterId=matter)
    assert (missing["code"], missing["missing"]) == ("MATERIALS_MISSING", ["WORK_PROOF"])
    assert "劳动合同" in missing["message"]
    upload = f"{site.url}/materials/{matter}"
    mine = {"authorization": f"Bearer {phone.token}", "accept-language": "zh"}

    def send(name: str, content: bytes, headers: dict[str, str] = mine) -> httpx.Response:
        files = {name: ("合同.png", content, "application/x-evil")}
        return site.http.post(upload, files=files, headers=headers)

    assert send("WORK_PROOF", picture(), {}).status_code == 404
    assert send("SHOPPING_LIST", picture()).status_code == 400
    script = send("WORK_PROOF", b"<script>alert(1)</script>")
    assert (script.status_code, script.json()["code"]) == (422, "MATERIAL_UNFIT")
    assert "JPG" in script.json()["nextAction"]
    taken = send("WORK_PROOF", picture())
    assert (taken.status_code, taken.json()["contentType"]) == (200, "image/png")
    paper = taken.json()["materialId"]
    assert send("WORK_PROOF", picture()).json()["materialId"] == paper
    waits = phone.do_once("SubmitFiling", matterId=matter)
    assert (waits["matter"]["state"], waits["matter"]["promisedOn"] is not None) == (
        "SUBMITTED",
        True,
    )
    shown = f"{site.url}/materials/{paper}/content"
    assert site.http.get(shown).status_code == 404
    own = site.http.get(shown, headers=mine)
    assert (own.content, own.headers["content-type"]) == (picture(), "image/png")
    assert own.headers["content-disposition"].startswith("attachment")

    clerk = at_desk(site, "CD1002")
    elsewhere = at_desk(site, "ZG1001")
    listed = clerk.call("Work", first=20)["matters"]
    assert [one["matter"]["matterId"] for one in listed] == [matter]
    assert elsewhere.call("Work", first=20)["matters"] == []
    refused = elsewhere.do("DecideMatter", matterId=matter, decision="APPROVE")
    assert refused["code"] == "DUTY_MISSING"
    staff = {"authorization": f"Bearer {clerk.token}"}
    assert site.http.get(shown, headers=staff).content == picture()
    other = {"authorization": f"Bearer {elsewhere.token}"}
    assert site.http.get(shown, headers=other).status_code == 403
    silent = clerk.do("JudgeMaterial", materialId=paper, verdict="REFUSED")
    assert silent["code"] == "WORDS_MISSING"
    clerk.do("JudgeMaterial", materialId=paper, verdict="REFUSED", reason="没有单位公章")
    asked = clerk.do("DecideMatter", matterId=matter, decision="ASK", words="请补盖公章后重传")
    assert asked["matter"]["state"] == "SUPPLEMENT"
    still = phone.do_once("SubmitFiling", matterId=matter)
    assert still["missing"] == ["WORK_PROOF"]
    stamped = io.BytesIO()
    Image.new("RGB", (900, 700), (220, 40, 40)).save(stamped, "PNG")
    assert send("WORK_PROOF", stamped.getvalue()).status_code == 200
    assert phone.do_once("SubmitFiling", matterId=matter)["matter"]["state"] == "SUBMITTED"
    no = clerk.do("DecideMatter", matterId=matter, decision="REJECT", words="单位不在就医地")
    assert no["matter"]["state"] == "REJECTED"
    appealed = phone.do("AppealMatter", matterId=matter, words="派出证明在第二页")
    assert appealed["state"] == "SUBMITTED"
    same = clerk.do("DecideMatter", matterId=matter, decision="APPROVE")
    assert same["code"] == "SECOND_PERSON_NEEDED"
    first = at_desk(site, "SC1001")
    yes = first.do("DecideMatter", matterId=matter, decision="APPROVE", words="已核对")
    assert yes["filing"]["filing"]["state"] in ("APPROVED", "EFFECTIVE")
    listed = phone.call("Matters", first=5)["matters"]
    assert listed[0]["steps"][-1]["text"] in ("审核通过", "生效")
    decisions = [one["decision"] for one in clerk.call("ReplyTemplates")]
    assert decisions == ["APPROVE", "ASK", "REJECT"]
    with pytest.raises(CallFailed, match=r"FORBIDDEN|UNAUTHENTICATED"):
        site.anonymous().call("Matters", first=5)


def test_a_place_that_is_not_there(country: Country) -> None:
    phone = country.site.phone("worker_2")
    nowhere = phone.call("DirectSettlement", institutionCode="H0", care="INPATIENT")
    assert nowhere["directSettlement"] is None
    here = phone.call("DirectSettlement", institutionCode=HOSPITAL, care="INPATIENT")
    assert here["directSettlement"]["institution"]["areaName"]
