"""The desk over real HTTP: signing in, what waits, and tokens that open nothing else."""

from __future__ import annotations

import time

import pyotp
import pytest

from backend.sample_data.staff import sample_password, sample_secret
from mobile_bff.client import DESK, CallFailed, Client
from tests.api.conftest import Site


def at_desk(site: Site, number: str) -> Client:
    """Return a client of somebody who has signed in at the desk."""
    client = site.anonymous(**DESK)
    code = pyotp.TOTP(sample_secret(number)).now()
    opened = client.do(
        "OpenStaffSession", number=number, password=sample_password(number), code=code
    )
    if opened["__typename"] != "StaffSession":  # this step's code was used: wait for the next
        time.sleep(30 - time.time() % 30 + 0.1)
        return at_desk(site, number)
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
