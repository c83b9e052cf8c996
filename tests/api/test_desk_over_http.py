"""The desk over real HTTP: signing in, what waits, and tokens that open nothing else."""

from __future__ import annotations

import io
import time

import pyotp
import pytest
from PIL import Image

from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_day
from backend.sample_data.staff import sample_password, sample_secret
from mobile_bff.client import DESK, CallFailed, Client
from tests.api.conftest import Site

STEP_SECONDS = 30


def at_desk(site: Site, number: str) -> Client:
    """Return a client of somebody who has signed in at the desk.

    Each code counts once and may be one step early or late: so three sign-ins wait for no clock.
    """
    client, now = site.anonymous(**DESK), int(time.time()) // STEP_SECONDS
    step = max(site.staff_steps.get(number, 0) + 1, now - 1)
    if step > now + 1:
        time.sleep((step - 1) * STEP_SECONDS - time.time() + 0.1)
    site.staff_steps[number] = step
    opened = client.do(
        "OpenStaffSession",
        number=number,
        password=sample_password(number),
        code=pyotp.TOTP(sample_secret(number)).generate_otp(step),
    )
    client.token = opened["accessToken"]
    return client


def test_a_clerk_signs_in_looks_and_leaves(site: Site) -> None:
    clerk = at_desk(site, "CD1001")
    assert clerk.call("Me")["duties"] == [{"role": "CLERK", "region": "510100"}]
    work = clerk.call("Work", first=5)
    kinds = {"bindings", "registrations", "duplicates", "proposals", "misuse"}
    assert set(work) == kinds | {"matters", "failedUploads"}
    nobody = clerk.do("FindPerson", name="王样例", number="E99000001")
    assert (nobody["__typename"], nobody["code"]) == ("NobodyFound", "NOBODY_FOUND")
    missing = clerk.do("ConfirmProposal", proposalId="x")
    assert (missing["code"], missing["retry"]) == ("DUTY_MISSING", "NEVER")
    assert "复核" in missing["message"]
    assert clerk.call("CloseStaffSession")["__typename"] == "StaffSignedOut"
    with pytest.raises(CallFailed, match="UNAUTHENTICATED"):
        clerk.call("Work")
    assert clerk.call("Me") is None


def test_a_phones_token_opens_no_desk_and_a_desks_no_phone(site: Site) -> None:
    phone = site.phone("retiree")
    desk = site.anonymous(**DESK)
    desk.token = phone.token
    assert desk.call("Me") is None
    with pytest.raises(CallFailed, match="UNAUTHENTICATED"):
        desk.call("Work")
    assert desk.do("FindPerson", name="x", number="x")["code"] == "SIGN_IN_REQUIRED"
    app = site.anonymous()
    app.token = at_desk(site, "CD1002").token
    with pytest.raises(CallFailed, match=r"FORBIDDEN|UNAUTHENTICATED"):
        app.call("MyRights")


def test_work_is_taken_handed_over_and_counted(site: Site) -> None:
    phone = site.phone("worker_5")
    today = local_day(SystemClock().now()).isoformat()
    saved = phone.do_once(
        "SaveFiling", kind="STATIONED", areaCode="310100", starts=today, route="MATERIALS"
    )
    matter = saved["matter"]["matterId"]
    picture = {"WORK_PROOF": ("a.png", drawn(), "image/png")}
    mine = {"authorization": f"Bearer {phone.token}"}
    url = f"{site.url}/materials/{matter}"
    assert site.http.post(url, files=picture, headers=mine).status_code == 200
    assert phone.do_once("SubmitFiling", matterId=matter)["__typename"] == "FilingApplication"
    clerk, other, head = (at_desk(site, number) for number in ("CD1001", "CD1002", "CD1003"))
    [listed] = clerk.call("Queue", kind="FILING", holding="FREE")
    assert (listed["matter"]["matterId"], listed["holder"]) == (matter, "")
    assert (listed["daysWaiting"], listed["overdue"]) == (0, False)
    assert clerk.do("TakeMatter", matterId=matter)["holder"] == "CD1001"
    refused = other.do("DecideMatter", matterId=matter, decision="APPROVE")
    assert (refused["code"], refused["nextAction"][:4]) == ("HELD_BY_ANOTHER", "请办理其")
    assert clerk.call("Queue", holding="MINE", first=1)[0]["matter"]["matterId"] == matter
    no_words = head.do("HandOver", matterIds=[matter], toNumber="CD1002", words="")
    assert no_words["code"] == "WORDS_MISSING"
    moved = head.do("HandOver", matterIds=[matter], toNumber="CD1002", words="休假")
    assert [one["holder"] for one in moved["matters"]] == ["CD1002"]
    added = head.do(
        "AddReplyTemplate",
        region="510100",
        kind="FILING",
        decision="APPROVE",
        words="已核对派驻证明。",
    )
    own = [one["own"] for one in other.call("ReplyTemplates") if one["decision"] == "APPROVE"]
    assert [one["words"] for one in own[0]] == ["已核对派驻证明。"]
    done = other.do("DecideMatter", matterId=matter, decision="APPROVE", words=own[0][0]["words"])
    assert done["__typename"] == "DeskMatter"
    assert head.do("RemoveReplyTemplate", templateId=added["templateId"])["words"]
    load = head.call("Workload", region="510100")
    [filings] = [one for one in load["kinds"] if one["kind"] == "FILING"]
    assert (filings["decided"], filings["onTime"], filings["waiting"]) == (1, 1, 0)
    assert load["staff"] == [{"number": "CD1002", "held": 0, "overdue": 0, "decided": 1}]
    with pytest.raises(CallFailed, match="FORBIDDEN"):
        clerk.call("Workload", region="510100")
    with pytest.raises(CallFailed, match="days"):
        head.call("Workload", region="510100", days=0)


def drawn() -> bytes:
    """Return a picture that is sharp enough to read."""
    file = io.BytesIO()
    Image.effect_noise((900, 700), 60).save(file, "PNG")
    return file.getvalue()
