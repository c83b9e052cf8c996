"""Documents known by their hash: the app's own, and in development those that clients register.

A client that prints the app's documents anew, with other white space, sends the same tokens. Such a
text is recognised by them, and the server then runs its own text of the document.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind

from mobile_bff import documents

REGISTERED_MAX = 1_000
PRINTED_ANEW_MAX = 8_000
"""Characters of a text that is compared with the app's documents token by token."""
_TOKENS_MAX = 800


def digest(document: str) -> str:
    """Return the SHA-256 by which a document is known."""
    return hashlib.sha256(document.encode(errors="surrogatepass")).hexdigest()


@lru_cache(maxsize=1_000)
def token_digest(document: str) -> str | None:
    """Return the SHA-256 of a document's tokens, which no printing changes.

    Returns nothing for a text that holds no document, or more than any document of the app.
    """
    if len(document) > PRINTED_ANEW_MAX:
        return None
    lexer = Lexer(Source(document))
    tokens = hashlib.sha256()
    try:
        for _ in range(_TOKENS_MAX):
            token = lexer.advance()
            if token.kind is TokenKind.EOF:
                return tokens.hexdigest()
            value = token.value or ""
            tokens.update(f"{token.kind.value} {len(value)} {value} ".encode())
    except (GraphQLSyntaxError, UnicodeEncodeError):
        return None
    return None


@dataclass
class Documents:
    """The documents that this server knows."""

    own: dict[str, str]
    only_own: bool
    registered: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _by_tokens: dict[str | None, str] = field(init=False)

    def __post_init__(self) -> None:
        """Know the app's own documents by their tokens too."""
        self._by_tokens = {token_digest(text): text for text in self.own.values()}
        if None in self._by_tokens:
            raise ValueError("a document of the app is larger than any that is printed anew")

    def by_hash(self, document_hash: str) -> str | None:
        """Return a known document."""
        return self.own.get(document_hash) or self.registered.get(document_hash)

    def register(self, document_hash: str, document: str) -> None:
        """Remember a document of a client, the newest thousand of them."""
        if not self.only_own and document_hash not in self.own:
            self.registered[document_hash] = document
            while len(self.registered) > REGISTERED_MAX:
                self.registered.popitem(last=False)

    def own_text(self, document: str) -> str | None:
        """Return the app's own text of a document that a client may have printed anew."""
        return self.own.get(digest(document)) or self._by_tokens.get(token_digest(document))

    def runnable(self, document: str) -> str | None:
        """Return the text that runs for a document, or nothing where it may not run here."""
        return self.own_text(document) if self.only_own else document

    def is_hash_of(self, document_hash: str, document: str) -> bool:
        """Tell whether a hash is that of a text, or of the app's document that it prints anew."""
        if digest(document) == document_hash:
            return True
        own = self.own_text(document)
        return own is not None and digest(own) == document_hash


def load_documents(only_own: bool, folder: Path = documents.FOLDER) -> Documents:
    """Compose the documents of a folder. Raises ``ValueError`` where the manifest does not fit them."""
    texts = [documents.document(name, folder) for name in documents.names(folder)]
    own = {digest(text): text for text in texts}
    if set(documents.read_manifest(folder)) != set(own):
        raise ValueError("the manifest of documents is stale; run: yibao documents")
    return Documents(own, only_own)
