"""Keys are rotated under a running system: nobody is signed out, nothing sealed is lost."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from backend.codes import identities
from backend.codes.contracts import IssueIdentityCode
from backend.codes.health_card import ID_CARD, text_of
from backend.codes.identity_code import Verdict, verify
from backend.infra.clock import SystemIds
from backend.infra.keys import KeyFile, KeysError, load_keys, make_keys, rotate_keys
from backend.infra.sealing import SealBroken, Vault
from backend.infra.tokens import Audience, Claims, TokenInvalid, sign_access_token
from backend.infra.tokens import verify_access_token as verify_token
from tests.api.conftest import site_on
from tests.world import World

NOW = datetime(2026, 6, 15, tzinfo=UTC)
CLAIMS = Claims(Audience.PERSON, "p", "s", NOW + timedelta(minutes=5))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    make_keys(path, SystemIds())
    return path


def test_what_older_keys_sealed_and_signed_counts_on(keys: Path) -> None:
    before = Vault(load_keys(keys), SystemIds(), KeyFile(keys))
    sealed, index = before.seal("x", "c"), before.index("x", "i")
    token = sign_access_token(before.ring, "me", CLAIMS, NOW)
    old = before.ring
    master, signing = rotate_keys(keys, SystemIds())
    assert keys.stat().st_mode & 0o077 == 0
    after = Vault(load_keys(keys), SystemIds())
    assert (after.ring.master_id, after.ring.signer_id) == (master, signing)
    assert set(old.masters) < set(after.ring.masters)
    assert after.open(sealed, "c") == "x"
    assert after.index("x", "i") == index
    assert verify_token(after.ring, "me", token, NOW) == CLAIMS
    newer = after.seal("y", "c")
    assert newer.startswith(f"{master}.")
    # a worker that was not restarted yet takes the new ring up when it meets it
    assert before.open(newer, "c") == "y"
    assert before.ring.signer_id == signing
    assert not before.renew()
    with pytest.raises(TokenInvalid):
        verify_token(old, "me", sign_access_token(after.ring, "me", CLAIMS, NOW), NOW)


def test_a_vault_without_a_file_keeps_its_ring(keys: Path) -> None:
    alone = Vault(load_keys(keys), SystemIds())
    rotate_keys(keys, SystemIds())
    foreign = Vault(load_keys(keys), SystemIds()).seal("x", "c")
    with pytest.raises(SealBroken):
        alone.open(foreign, "c")
    with pytest.raises(KeysError):
        rotate_keys(keys.with_name("missing.json"), SystemIds())


def test_identity_codes_and_health_cards_outlive_a_rotation(
    world: World, keys_file: Path, tmp_path: Path
) -> None:
    actor = world.actor("retiree")
    command = IssueIdentityCode(actor, actor.person_id)
    code = world.do(identities.issue_identity_code, command)
    card = world.database.read(lambda u: text_of(identities.card_keys(u), ID_CARD, "1", None))
    copy = tmp_path / "keys.json"
    shutil.copy(keys_file, copy)
    rotate_keys(copy, SystemIds())
    world.database.resources.vault.ring = load_keys(copy)
    world.database.resources.vault._derived.clear()
    now = world.clock.now()
    trust = world.database.read(identities.trust_list)
    assert len(trust.keys) == 2
    assert verify(code.text, trust, now).verdict is Verdict.VALID
    again = world.database.read(lambda u: text_of(identities.card_keys(u), ID_CARD, "1", None))
    assert again == card
    newer = world.do(identities.issue_identity_code, command)
    assert verify(newer.text, trust, now).verdict is Verdict.VALID


def test_nobody_is_signed_out_of_running_workers(
    request: pytest.FixtureRequest, keys_file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "keys.json"
    shutil.copy(keys_file, copy)
    with site_on("sqlite", request, tmp_path, YIBAO_KEYS_FILE=str(copy)) as site:
        phone = site.phone("worker")
        rotate_keys(copy, SystemIds())
        for _ in range(8):  # whichever worker answers
            assert phone.call("Preferences")["noticeBy"] == "MESSAGE"
        ring, claims = load_keys(copy), jwt.decode(phone.token, options={"verify_signature": False})
        renewed = site.anonymous()
        until = datetime.now(UTC) + timedelta(minutes=5)
        person = Claims(Audience.PERSON, claims["sub"], claims["sid"], until)
        renewed.token = sign_access_token(ring, claims["iss"], person, datetime.now(UTC))
        for _ in range(8):  # no worker was restarted, each takes the new ring up
            assert [device["current"] for device in renewed.call("Devices")] == [True]
