"""Family funds and the wallet as the app drives them, over real HTTP.

What depends on the hour (sending) is tested with a clock of the tests: ``tests.usecases.test_sharing``.
"""

from __future__ import annotations

from tests.api.conftest import Site
from tests.api.test_relatives_over_http import identity_of


def test_a_father_shares_his_account_and_both_open_wallets(site: Site) -> None:
    father, daughter = site.phone("retiree"), site.phone("worker")
    name, number = identity_of(site, "worker")
    child = {"relativeName": name, "relativeIdNumber": number, "relation": "CHILD"}
    share = father.do_once("GiveShare", **child, promise=True)
    assert (share["standing"], share["givenByMe"]) == ("IN_FORCE", True)
    assert share["status"]["speechText"]
    seen = daughter.call("Sharing")["sharing"]
    assert [place["own"] for place in seen["drawOrder"]] == [True, False]
    assert "亲情账户" in seen["note"]
    assert father.call("OpenWallet")["open"]
    held = daughter.call("OpenWallet")
    assert (held["balance"]["yuan"], held["provisional"]) == ("0.00", True)
    assert daughter.do("EndShare", shareId=share["shareId"])["standing"] == "ENDED"
    assert father.do("EndShare", shareId=share["shareId"])["code"] == "SHARE_NOT_FOUND"
