"""Documents known by their hash: the app's own, and in development those that clients register."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from mobile_bff import documents

REGISTERED_MAX = 1_000


def digest(document: str) -> str:
    """Return the SHA-256 by which a document is known."""
    return hashlib.sha256(document.encode()).hexdigest()


@dataclass
class Documents:
    """The documents that this server knows."""

    own: dict[str, str]
    only_own: bool
    registered: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def by_hash(self, document_hash: str) -> str | None:
        """Return a known document."""
        return self.own.get(document_hash) or self.registered.get(document_hash)

    def register(self, document_hash: str, document: str) -> None:
        """Remember a document of a client, the newest thousand of them."""
        if not self.only_own and document_hash not in self.own:
            self.registered[document_hash] = document
            while len(self.registered) > REGISTERED_MAX:
                self.registered.popitem(last=False)

    def may_run(self, document: str) -> bool:
        """Tell whether a document may run here."""
        return not self.only_own or digest(document) in self.own


def load_documents(only_own: bool, folder: Path = documents.FOLDER) -> Documents:
    """Compose the documents of a folder. Raises ``ValueError`` where the manifest does not fit them."""
    texts = [documents.document(name, folder) for name in documents.names(folder)]
    own = {digest(text): text for text in texts}
    if set(documents.read_manifest(folder)) != set(own):
        raise ValueError("the manifest of documents is stale; run: yibao documents")
    return Documents(own, only_own)
