"""What a resolver knows about its request: who asks, in which language, and the door inwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader

from backend.access.contracts import (
    Action,
    Actor,
    Anonymous,
    NotPermitted,
    PersonActor,
    TerminalActor,
)
from backend.access.logic import may, own_id
from backend.identity import queries as identity
from backend.infra.database import Unit
from backend.infra.live import LiveMark
from backend.infra.tokens import Audience, Claims
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.errors import Locale, Refusal
from backend.proxies.authority import Right, authorize, note
from backend.staff import queries as staff
from mobile_bff.civil_register import CivilRegister
from mobile_bff.door import Door
from mobile_bff.feed import Feed
from mobile_bff.national_platform import NationalPlatform
from mobile_bff.trusted import Documents

T = TypeVar("T")
C = TypeVar("C")

SESSIONS_AT_ONCE = 1_000


class RefusedQuery(GraphQLError):
    """A read that the caller may not make; becomes an error with a code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, extensions={"code": code})


@dataclass
class Context:
    """One request, or one operation on a socket. Loaders live exactly as long.

    Fields whose names begin with an underscore hold what was read for it.
    """

    door: Door
    feed: Feed
    locale: Locale
    address: str
    request_id: str
    claims: Claims | None
    documents: Documents
    register: CivilRegister
    national: NationalPlatform
    introspection: bool = True
    connected: LiveMark | None = None
    """What was committed when a socket was acknowledged."""
    connection_params: dict[str, Any] | None = None
    _actor: Actor | None = None
    _institutions: DataLoader[str, InstitutionView] | None = field(default=None)

    async def actor(self) -> Actor:
        """Return who asks. The session behind the token is looked up once a request."""
        if self._actor is None:
            self._actor = await self._resolved_actor()
        return self._actor

    async def fresh_actor(self) -> Actor:
        """Return who asks, looking the session up again; for each event of a subscription.

        Whatever was read for the event before is forgotten with it.
        """
        self._forget()
        return await self.actor()

    def for_operation(self, request_id: str) -> Context:
        """Return the context of one operation on this context's socket: nothing is read yet."""
        context = replace(self, request_id=request_id)
        context._forget()
        return context

    def _forget(self) -> None:
        for cache in fields(self):
            if cache.name.startswith("_"):
                setattr(self, cache.name, cache.default)

    async def act(self, use_case: Callable[[Unit, C], T], command: Callable[[Actor], C]) -> T:
        """Run a use case for whoever asks, the session looked up in the same transaction."""

        def run(unit: Unit, claims: Claims | None) -> T:
            return use_case(unit, command(resolve_actor(unit, claims, self.address)))

        return await self.door.write(run, self.claims, self.request_id)

    async def _resolved_actor(self) -> Actor:
        if self.claims is None:
            return Anonymous(self.address)
        return await self.door.read(lambda unit: resolve_actor(unit, self.claims, self.address))

    async def person(self, action: Any, subject: str | None = None) -> str:
        """Return the person whom a read is about, or raise ``RefusedQuery``.

        A look at a relative's affairs is written down and told to them.
        """
        actor = await self.actor()
        person_id = subject or own_id(actor)
        if may(actor, action, person_id) is None:
            return person_id

        def ask(unit: Unit, _: None) -> Right | Refusal:
            right = authorize(unit, actor, action, person_id)
            if isinstance(right, Right):
                note(unit, right, actor, action)
            return right

        refusal = await self.door.write(ask, None, self.request_id)
        if isinstance(refusal, Right):
            return person_id
        code = "FORBIDDEN" if isinstance(refusal, NotPermitted) else "UNAUTHENTICATED"
        raise RefusedQuery(refusal.message(self.locale), code)

    async def sees(self, person_id: str) -> bool:
        """Tell whether the caller may look at a person's affairs."""
        try:
            await self.person(Action.VIEW_RIGHTS, person_id)
        except RefusedQuery:
            return False
        return True

    @property
    def institutions(self) -> DataLoader[str, InstitutionView]:
        """Return this request's loader of institutions."""
        if self._institutions is None:
            self._institutions = DataLoader(load_fn=self._load_institutions)
        return self._institutions

    async def _load_institutions(self, ids: list[str]) -> list[InstitutionView]:
        found = await self.door.read(lambda unit: institutions.institutions(unit, ids))
        return [found[institution_id] for institution_id in ids]


Info: TypeAlias = strawberry.Info[Context, None]


def resolve_actor(unit: Unit, claims: Claims | None, address: str) -> Actor:
    """Return the actor behind a verified token, nobody where its session has ended."""
    if claims is None or claims.expires_at <= unit.now:  # a socket may outlive its token
        return Anonymous(address)
    if claims.audience is Audience.PERSON:
        if identity.session_is_open(unit, claims.session, claims.subject):
            return PersonActor(claims.subject, claims.session, address)
        return Anonymous(address)
    if claims.audience is Audience.STAFF:
        return staff.actor(unit, claims.session, claims.subject) or Anonymous(address)
    opened = institutions.open_session(unit, claims.session)
    if opened is None:
        return Anonymous(address)
    session, terminal = opened
    return TerminalActor(terminal.id, terminal.institution_id, session.id, session.operator_id)


def open_claims(unit: Unit, claims: Iterable[Claims]) -> set[Claims]:
    """Return those of verified claims that ``resolve_actor`` finds somebody behind.

    It takes one statement for each audience and each ``SESSIONS_AT_ONCE`` of its sessions.
    """
    current = [token for token in claims if token.expires_at > unit.now]
    holders: dict[str, str] = {}
    for audience, open_sessions in _OPEN_SESSIONS.items():
        sessions = sorted({token.session for token in current if token.audience is audience})
        for start in range(0, len(sessions), SESSIONS_AT_ONCE):
            holders |= open_sessions(unit, sessions[start : start + SESSIONS_AT_ONCE])
    return {token for token in current if holders.get(token.session) == token.subject}


_OPEN_SESSIONS: dict[Audience, Callable[[Unit, Sequence[str]], dict[str, str]]] = {
    Audience.PERSON: identity.open_sessions,
    Audience.STAFF: staff.open_sessions,
    Audience.TERMINAL: institutions.open_sessions,
}
