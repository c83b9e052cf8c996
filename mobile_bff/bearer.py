"""Who a bearer token says that somebody is."""

from __future__ import annotations

from backend.infra.database import Resources
from backend.infra.tokens import Claims, TokenInvalid, key_id_of, verify_access_token


class Bearer:
    """Reads the ``Authorization`` header by the key ring, a newer one where it must."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def claims(self, header: str) -> Claims | None:
        """Return what a valid token says, ``None`` for anything else."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        vault = self._resources.vault
        try:
            return self._verified(token)
        except TokenInvalid:
            known = key_id_of(token) in vault.ring.signers
        if known or not vault.renew():
            return None
        try:  # signed by a worker that knows a newer key ring
            return self._verified(token)
        except TokenInvalid:
            return None

    def _verified(self, token: str) -> Claims:
        resources = self._resources
        ring, issuer = resources.vault.ring, resources.settings.issuer
        return verify_access_token(ring, issuer, token, resources.clock.now())
