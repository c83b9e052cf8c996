"""``yibao verify-code``: what a counter without a network does with a signed identity code."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path

from backend.codes.identity_code import TrustListInvalid, Verdict, read_trust, verify
from backend.infra.clock import SystemClock
from backend.kernel.calendar import local_minute


def verify_code_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao verify-code``."""
    parser.add_argument("text", help="what the scanner has read")
    parser.add_argument("--trust", type=Path, required=True, help="the trust list, from a file")
    parser.add_argument(
        "--anchors", type=Path, required=True, help="the key set (JWKS) that the list is signed by"
    )
    parser.add_argument("--id-number", help="of the identity card in hand, to be compared")
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    try:
        keys = json.loads(options.anchors.read_text(encoding="utf-8"))["keys"]
        anchors = {key["kid"]: base64.urlsafe_b64decode(key["x"] + "==") for key in keys}
        trust = read_trust(options.trust.read_text(encoding="utf-8").strip(), anchors)
    except (OSError, ValueError, KeyError, TypeError, TrustListInvalid) as error:
        print(f"the trust list cannot be used: {error}", file=sys.stderr)
        return 2
    found = verify(options.text.strip(), trust, SystemClock().now(), options.id_number)
    print(found.verdict.value)
    if found.claims is not None:
        until = local_minute(found.claims.expires_at)
        print(f"{found.claims.masked_name}, issued by {found.claims.issuer}, until {until}")
    if found.same_document is not None:
        print("the identity card is the same person's" if found.same_document else "ANOTHER PERSON")
    fine = found.verdict is Verdict.VALID and found.same_document is not False
    return 0 if fine else 1
