"""Health cards against the published vector, and signed identity codes against forgers and old lists."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.codes import health_card as card
from backend.codes.identity_code import (
    PREFIX,
    IdentityClaims,
    TrustedKey,
    TrustList,
    TrustListInvalid,
    Verdict,
    document_digest,
    make,
    read_trust,
    verify,
    write_trust,
)

ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
INDEX = "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E"
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
KEYS = card.CardKeys(ROOT, bytes(range(16)))
NUMBER = "990000199001010018"
NOW = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)


# -- health cards ----------------------------------------------------------------------------------


def test_the_published_vector() -> None:
    assert card.factor_of(INDEX).hex().upper() == "92CDCE45A16799FD"
    assert card.card_key(ROOT, INDEX).hex().upper() == "86C63180C2806ED1F47B859DE501215B"
    assert card.card_id_of(ROOT, INDEX, "01", "11010020171225006X") == CARD


def test_a_card_leads_back_to_its_document_and_to_no_other() -> None:
    index = card.index_of(card.ID_CARD, NUMBER)
    number = card.card_id_of(ROOT, index, card.ID_CARD, NUMBER)
    assert card.document_of(ROOT, index, number) == ("01", NUMBER)
    assert NUMBER not in f"{index}{number}"
    for other_index, other_card in ((INDEX, number), (index, CARD), (index, "00"), (index, "xx")):
        with pytest.raises(card.CardUnreadable):
            card.document_of(ROOT, other_index, other_card)
    with pytest.raises(card.CardUnreadable):
        card.document_of(bytes(16), index, number)


def test_the_text_of_a_card_is_static_or_dynamic() -> None:
    static = card.text_of(KEYS, card.ID_CARD, NUMBER, None)
    assert static.count(":") == 1
    assert card.read(KEYS, static).valid_at is None
    dynamic = card.text_of(KEYS, card.ID_CARD, NUMBER, NOW)
    read = card.read(KEYS, dynamic)
    assert read.valid_at == NOW
    assert dynamic.startswith(static)
    assert card.document_of(ROOT, read.index, read.card_id) == ("01", NUMBER)
    for wrong in ("", "a", "a:b:c:d", f"{static}:00", f"{static}:{'F' * 32}", f"{static}:zz"):
        with pytest.raises(card.CardUnreadable):
            card.read(KEYS, wrong)


# -- identity codes --------------------------------------------------------------------------------

KEY = Ed25519PrivateKey.generate()


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


TRUST = TrustList(
    issued_at=NOW - timedelta(hours=1),
    fresh_until=NOW + timedelta(hours=23),
    keys=(
        TrustedKey("s1", "510000", public(KEY), NOW - timedelta(days=9), NOW + timedelta(days=9)),
    ),
    revoked=frozenset({"gone"}),
)
CLAIMS = IdentityClaims(
    issuer="510000",
    serial="01ABC",
    masked_name="王*例",
    document_digest=document_digest("01ABC", NUMBER),
    issued_at=NOW - timedelta(minutes=5),
    expires_at=NOW + timedelta(hours=12),
)


def code(key: Ed25519PrivateKey = KEY, key_id: str = "s1", **changes: object) -> str:
    return make(replace(CLAIMS, **changes), key_id, key)  # type: ignore[arg-type]


def verdict(text: str, trust: TrustList = TRUST, now: datetime = NOW) -> Verdict:
    return verify(text, trust, now).verdict


def test_a_code_is_verified_with_the_list_alone() -> None:
    found = verify(code(), TRUST, NOW, NUMBER)
    assert (found.verdict, found.claims, found.same_document) == (Verdict.VALID, CLAIMS, True)
    assert verify(code(), TRUST, NOW, "990000199001010026").same_document is False
    assert verify(code(), TRUST, NOW).same_document is None
    assert NUMBER not in code()
    assert len(code()) < 300


def test_what_is_not_valid_says_why() -> None:
    thief = Ed25519PrivateKey.generate()
    assert verdict(code(thief)) is Verdict.FORGED
    assert verdict(code(key_id="s2")) is Verdict.FORGED
    assert verdict(code(issuer="440000")) is Verdict.FORGED
    assert verdict(code(issued_at=NOW - timedelta(days=10))) is Verdict.FORGED
    assert verdict(code(serial="gone")) is Verdict.REVOKED
    assert verdict(code(expires_at=NOW)) is Verdict.EXPIRED
    assert verdict(code(issued_at=NOW + timedelta(minutes=1))) is Verdict.NOT_YET_VALID
    for text in ("", "YBI1.", "YBI1.!!", "x", PREFIX + base45.b45encode(b"\xa0").decode()):
        assert verdict(text) is Verdict.UNREADABLE


def test_whatever_cbor_can_hold_is_unreadable_and_no_more() -> None:
    header = cbor2.dumps({1: -8, 4: b"s1"})
    said = {1: "510000", 6: 1_781_488_800, 4: 10**18, 7: "x", -70001: "x", -70002: b"x"}
    wrong_claims = [
        said, {**said, 4: -(10**18)}, {**said, 4: 1e300}, {**said, 4: None}, {**said, 6: 10**400},
        {}, [], 5, None, {1: []}, cbor2.CBORTag(35, "(" * 500), cbor2.CBORTag(4, [10**6, 1]),
    ]  # fmt: skip
    messages = [
        *(cbor2.CBORTag(18, [header, {}, cbor2.dumps(claims), b""]) for claims in wrong_claims),
        *(cbor2.CBORTag(18, [cbor2.dumps(held), {}, cbor2.dumps(said), b""])
          for held in ([], {}, 5, {1: -8}, {1: -8, 4: 5}, {1: [], 4: b"\xff"})),
        *(cbor2.CBORTag(18, held) for held in (5, [], [1, 2, 3, 4], "abcd", {}, [b"", {}, b"", 5])),
    ]  # fmt: skip
    raw = [cbor2.dumps(message) for message in messages]
    raw += [
        b"\x81" * 1_200,
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\x5b" + b"\x7f" * 8,
        b"\x9b" + b"\x7f" * 8,
    ]
    raw += [b"\xd8\x23\x62((", b"\xc4\x82\x1b" + b"\x7f" * 8 + b"\x01", b"\xd2" * 900]
    for one in raw:
        assert verdict(PREFIX + base45.b45encode(one).decode()) is Verdict.UNREADABLE, one[:40]


def test_a_code_that_was_altered_is_forged() -> None:
    message = cbor2.loads(base45.b45decode(code().removeprefix(PREFIX)))
    protected, unprotected, payload, signature = message.value
    said = cbor2.loads(payload)
    for claim, value in ((4, said[4] + 10**6), (-70001, "李*例"), (7, "02ABC")):
        altered = cbor2.dumps({**said, claim: value}, canonical=True)
        forged = cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, altered, signature]))
        assert verdict(PREFIX + base45.b45encode(forged).decode()) is Verdict.FORGED
    other = cbor2.dumps({1: -7, 4: b"s1"}, canonical=True)
    forged = cbor2.dumps(cbor2.CBORTag(18, [other, unprotected, payload, signature]))
    assert verdict(PREFIX + base45.b45encode(forged).decode()) is Verdict.UNREADABLE


def test_a_stale_list_says_neither_yes_nor_no() -> None:
    for now in (TRUST.fresh_until + timedelta(seconds=1), TRUST.issued_at - timedelta(seconds=1)):
        assert verdict(code(), now=now) is Verdict.CANNOT_VERIFY
    assert verdict(code(expires_at=NOW + timedelta(days=2)), now=TRUST.fresh_until) is Verdict.VALID


def test_the_list_is_signed_by_somebody_known() -> None:
    token = write_trust(TRUST, "https://yibao.example", "s1", KEY)
    assert read_trust(token, {"s1": public(KEY)}) == TRUST
    thief = Ed25519PrivateKey.generate()
    head, body, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=="))
    altered = base64.urlsafe_b64encode(json.dumps({**content, "revoked": []}).encode()).decode()
    for wrong, anchors in (
        (token, {"s1": public(thief)}),
        (token, {"s2": public(KEY)}),
        (token, {}),
        ("x", {"s1": public(KEY)}),
        (f"{head}.{altered.rstrip('=')}.{signature}", {"s1": public(KEY)}),
    ):
        with pytest.raises(TrustListInvalid):
            read_trust(wrong, anchors)
