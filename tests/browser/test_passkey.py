"""A passkey made, used for signing in and for a proof, by a browser's own WebAuthn."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser

from mobile_bff import documents
from tests.api.conftest import Site

_PAGE = """
async (work) => {
  const send = async (name, query, variables, token) => {
    const headers = {'content-type': 'application/json'};
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await fetch('/graphql', {
      method: 'POST', headers, body: JSON.stringify({query, variables})});
    const body = await answer.json();
    if (body.errors) throw new Error(JSON.stringify(body.errors));
    return Object.values(body.data)[0];
  };
  const {documents: d, token} = work;
  const begun = await send('add', d.BeginAddPasskey, {}, token);
  if (!begun.options) return {refused: begun};
  const create = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(begun.options));
  const made = await navigator.credentials.create({publicKey: create});
  const added = await send('add', d.AddPasskey, {input: {
    ceremonyId: begun.ceremonyId, credential: JSON.stringify(made.toJSON()), name: '浏览器'}}, token);
  const get = async (begin, token) => {
    const asked = await send('begin', begin, {}, token);
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(asked.options));
    const shown = await navigator.credentials.get({publicKey: options});
    return {ceremonyId: asked.ceremonyId, credential: JSON.stringify(shown.toJSON())};
  };
  const session = await send('in', d.SignInWithPasskey, {input: {
    ...await get(d.BeginPasskeySignIn), deviceName: '浏览器'}});
  const proof = await send('up', d.StepUpWithPasskey, {input:
    await get(d.BeginPasskeyStepUp, session.accessToken)}, session.accessToken);
  return {added, session, proof};
}
"""
_NAMES = (
    "BeginAddPasskey",
    "AddPasskey",
    "BeginPasskeySignIn",
    "SignInWithPasskey",
    "BeginPasskeyStepUp",
    "StepUpWithPasskey",
)


def in_browser(browser: Browser, site: Site, verified: bool) -> dict[str, Any]:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(site.url.replace("127.0.0.1", "localhost") + "/health/live")
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    work = {
        "documents": {name: documents.document(name) for name in _NAMES},
        "token": site.phone("worker").token,
    }
    try:
        result: dict[str, Any] = page.evaluate(_PAGE, work)
    finally:
        context.close()
    return result


def test_a_browser_adds_a_passkey_signs_in_and_proves(browser: Browser, near_site: Site) -> None:
    done = in_browser(browser, near_site, verified=True)
    assert [key["name"] for key in done["added"]["passkeys"]] == ["浏览器"]
    assert done["session"]["__typename"] == "Session"
    assert done["proof"]["proof"] == "PASSKEY"
    phone = near_site.phone("worker")
    assert {device["name"] for device in phone.call("Devices")} == {"测试机", "浏览器"}
    (kept,) = phone.call("Passkeys")
    assert kept["lastUsedAt"] is not None
