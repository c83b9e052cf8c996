"""The face check as an app drives it: real pictures over real HTTP, measured in another process."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from backend.identity.face_contracts import FaceAction
from mobile_bff.client import Client
from tests.api.conftest import Site
from tests.faces import film


def send(
    site: Site, client: Client, path: str, pictures: list[tuple[str, bytes]]
) -> httpx.Response:
    files = [(name, (f"{name}.jpg", data, "image/jpeg")) for name, data in pictures]
    headers = {"authorization": f"Bearer {client.token}"} if client.token else {}
    return site.http.post(f"{site.url}{path}", files=files, headers=headers)


def film_for(challenge: dict[str, Any], face: str, take: int = 0) -> list[tuple[str, bytes]]:
    actions = [FaceAction(step["action"]) for step in challenge["steps"][1:]]
    return [(str(step), data) for step, data in film(face, actions, take)]


def test_enrol_then_prove_and_reset_the_password_by_face(site: Site) -> None:
    phone = site.phone("retiree")
    challenge = phone.do("BeginFaceCheck", purpose="ENROL", consent=True)
    assert [step["number"] for step in challenge["steps"]] == [0, 1, 2, 3]
    assert "暂定" in challenge["note"]
    sent = send(site, phone, challenge["uploadPath"], film_for(challenge, "biden"))
    assert (sent.status_code, sent.json()["state"]) == (200, "PASSED")
    done = phone.do("FinishFaceCheck", checkId=challenge["checkId"])
    assert (done["purpose"], done["passive"]) == ("ENROL", "NOT_AVAILABLE")
    again = send(site, phone, challenge["uploadPath"], film_for(challenge, "biden"))
    assert (again.status_code, again.json()["code"]) == (404, "FACE_CHECK_UNKNOWN")
    stranger = phone.do("BeginFaceCheck", purpose="STEP_UP")
    send(site, phone, stranger["uploadPath"], film_for(stranger, "astronaut"))
    refused = phone.do("FinishFaceCheck", checkId=stranger["checkId"])
    assert (refused["problem"], refused["advice"]) == ("NOT_THE_PERSON", "NOT_THE_PERSON")
    assert "不一致" in refused["speechText"]
    own = phone.do("BeginFaceCheck", purpose="STEP_UP")
    send(site, phone, own["uploadPath"], film_for(own, "biden", 1))
    assert phone.do("FinishFaceCheck", checkId=own["checkId"])["purpose"] == "STEP_UP"
    held = phone.do("SetPaymentPassword", password="739146")
    assert held["ways"] == ["PAYMENT_PASSWORD", "FACE"]
    assert phone.call("RemoveFace")["removed"] is True


def test_uploads_that_cannot_be_judged_are_refused_in_plain_words(lone_site: Site) -> None:
    site, phone = lone_site, lone_site.phone("worker")
    challenge = phone.do("BeginFaceCheck", purpose="ENROL", consent=True)
    path = challenge["uploadPath"]
    nobody = site.anonymous()
    assert send(site, nobody, path, [("0", b"x")]).status_code == 404
    for pictures, words in (
        ([("4", b"x")], "number of its step"),
        ([("look", b"x")], "number of its step"),
        ([("0", b"x")] * 31, "Too many files"),
        ([("0", b"x" * 1_000_001)], "at most 1000000 bytes"),
    ):
        refused = send(site, phone, path, pictures)
        assert (refused.status_code, refused.json()["code"]) == (400, "BAD_REQUEST")
        assert words in refused.json()["message"]
    headers = {"authorization": f"Bearer {phone.token}"}
    plain = site.http.post(f"{site.url}{path}", content=b"{}", headers=headers)
    assert plain.status_code == 400
    broken = {**headers, "content-type": "multipart/form-data; boundary=x"}
    assert site.http.post(f"{site.url}{path}", content=b"--y", headers=broken).status_code == 400
    fields = site.http.post(f"{site.url}{path}", files={"0": (None, "x")}, headers=headers)
    assert fields.status_code == 400
    large = send(site, phone, path, [("0", b"x" * 900_000)] * 7)
    assert large.status_code == 413
    assert site.http.get(f"{site.url}{path}").status_code == 405
    # none of these used the check up
    sent = send(site, phone, path, [("0", b"no picture")])
    assert sent.json()["state"] == "FAILED"
    failed = phone.do("FinishFaceCheck", checkId=challenge["checkId"])
    assert failed["problem"] == "UNREADABLE"


def test_nobody_waits_while_a_face_is_measured(lone_site: Site) -> None:
    site, phone = lone_site, lone_site.phone("worker_2")
    times: list[float] = []
    over = threading.Event()

    def others() -> None:
        with httpx.Client(timeout=60, trust_env=False) as http:
            client = Client(site.url, http=http)
            while not over.is_set():
                began = time.monotonic()
                client.call("AppModules")
                times.append(time.monotonic() - began)

    challenge = phone.do("BeginFaceCheck", purpose="ENROL", consent=True)
    pictures = film_for(challenge, "biden")
    watching = threading.Thread(target=others)
    watching.start()
    began = time.monotonic()
    sent = send(site, phone, challenge["uploadPath"], pictures)
    took = time.monotonic() - began
    over.set()
    watching.join()
    assert sent.json()["state"] == "PASSED"
    assert len(times) > 10
    assert sorted(times)[len(times) // 2] < took / 20
    assert max(times) < took / 2


@pytest.mark.parametrize("path", ["/face-checks/none", "/face-checks/01KV4G3M80GZ481BFQDNAD6S4S"])
def test_a_check_that_nobody_began_is_unknown(lone_site: Site, path: str) -> None:
    phone = lone_site.phone("worker")
    assert send(lone_site, phone, path, [("0", b"x")]).status_code == 404
