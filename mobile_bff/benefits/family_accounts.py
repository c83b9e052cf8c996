"""E2 亲情账户与长辈代办: relatives who act for somebody, their scopes, and what they did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import strawberry

from backend.access.assurance import StepUpRequired
from backend.access.contracts import Action
from backend.identity.contracts import TooManyCodes
from backend.kernel.calendar import local_minute
from backend.kernel.errors import Locale
from backend.kernel.money import Fen, yuan_text
from backend.proxies import queries, service
from backend.proxies.contracts import (
    AlreadyBound,
    AskConsent,
    BindingNotFound,
    BindingNotPossible,
    BindingState,
    BindingView,
    BoundTooOften,
    Consent,
    ConsentAsked,
    ConsentByCode,
    ConsentCodeWrong,
    ConsentKind,
    ConsentWay,
    DeclineBinding,
    EndBinding,
    NoPhoneForConsent,
    ProxyActView,
    Relation,
    RelativeUnknown,
    RequestBinding,
    Scope,
    TooManyBindingRequests,
    TooManyRelatives,
)
from mobile_bff.connections import page_size, row_number
from mobile_bff.context import Info
from mobile_bff.errors import KEYED, answer, result_union
from mobile_bff.modules import AppModule, ModuleState
from mobile_bff.scalars import Money, money_or_none
from mobile_bff.step_up import signed_in
from mobile_bff.wording import Status, status, words

MODULE = AppModule(
    "E2",
    "亲情账户与长辈代办",
    "亲情账户",
    "Relatives and proxies",
    ModuleState.AVAILABLE,
    "可绑定亲属并代为查看、亮码、备案、报销、预约挂号和在额度内代付，代办记录可查、可随时解除。",
)


@strawberry.type(description="A binding between two relatives.")
class FamilyBinding:
    """Who acts for whom, how far, until when."""

    binding_id: strawberry.ID = strawberry.field(description="Its id.")
    owner_id: strawberry.ID = strawberry.field(
        description="For whom; the subjectId of what is done for them."
    )
    owner_name: str = strawberry.field(description="For whom, masked.")
    delegate_name: str = strawberry.field(description="Who acts, masked.")
    relation: Relation = strawberry.field(description="What the owner is to the delegate.")
    relation_text: str = strawberry.field(description="The relation in words.")
    scopes: list[Scope] = strawberry.field(description="What the delegate may do.")
    state: BindingState = strawberry.field(description="Its state.")
    status: Status = strawberry.field(description="The state in words.")
    standing: Status = strawberry.field(description="Whether it can be used now, and why not.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    active_since: datetime | None = strawberry.field(description="Since when it is in force.")
    expires_on: date = strawberry.field(description="Its last day; a year, then it is confirmed.")
    consented_by: ConsentWay | None = strawberry.field(description="How consent was given.")
    pay_limit: Money | None = strawberry.field(description="The most for one payment; null: none.")
    pay_day_limit: Money | None = strawberry.field(description="The most for a day, if limited.")


@strawberry.type(description="The relatives of the signed-in person.")
class FamilyBindings:
    """Both directions."""

    acting_for: list[FamilyBinding] = strawberry.field(description="For whom the caller acts.")
    acted_for_by: list[FamilyBinding] = strawberry.field(description="Who acts for the caller.")


@strawberry.type(description="Something that a relative did for somebody.")
class ProxyAct:
    """One act, in plain words."""

    act_id: strawberry.ID = strawberry.field(description="Its id.")
    binding_id: strawberry.ID = strawberry.field(description="The binding that it rests on.")
    at: datetime = strawberry.field(description="When.")
    action: Action = strawberry.field(description="What.")
    delegate_name: str = strawberry.field(description="Who, masked.")
    amount: Money | None = strawberry.field(description="What it took from the account, if any.")
    text: str = strawberry.field(description="A sentence for the screen.")
    speech_text: str = strawberry.field(description="The same for reading aloud.")


@strawberry.type(description="A code is on its way to the relative's phone.")
class ConsentCodeSent:
    """They read it out."""

    binding_id: strawberry.ID = strawberry.field(description="The binding.")
    kind: ConsentKind = strawberry.field(description="To what it consents.")
    expires_at: datetime = strawberry.field(description="Until when it counts.")


@strawberry.input(description="Asks to act for a relative.")
class RequestBindingInput:
    """Whom, and what for."""

    request_id: str = strawberry.field(description="Request key: a UUID that the app makes.")
    owner_name: str = strawberry.field(description="The relative's full name.")
    owner_id_number: str = strawberry.field(description="The relative's ID number.")
    relation: Relation = strawberry.field(description="What the relative is to the caller.")
    scopes: list[Scope] = strawberry.field(description="What to act in; never PAY.")
    promise: bool = strawberry.field(
        description="The promise about a child under sixteen (个人承诺书).", default=False
    )


@strawberry.input(description="Names a binding.")
class BindingInput:
    """Which one."""

    binding_id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="Names a binding and what is consented to.")
class ConsentInput:
    """Which one, and to what."""

    binding_id: strawberry.ID = strawberry.field(description="Its id.")
    kind: ConsentKind = strawberry.field(description="To what.")
    pay_limit_fen: Fen | None = strawberry.field(
        description="Of PAY: the most for one payment.", default=None
    )
    pay_day_limit_fen: Fen | None = strawberry.field(
        description="Of PAY: the most for a day.", default=None
    )


@strawberry.input(description="The code that the relative has read out.")
class ConsentByCodeInput:
    """The code."""

    binding_id: strawberry.ID = strawberry.field(description="The binding.")
    code: str = strawberry.field(description="The six digits.")


def binding_type(view: BindingView, locale: Locale) -> FamilyBinding:
    """Return a binding for the schema."""
    return FamilyBinding(
        binding_id=strawberry.ID(view.id),
        owner_id=strawberry.ID(view.owner_id),
        owner_name=view.owner_name,
        delegate_name=view.delegate_name,
        relation=view.relation,
        relation_text=words(view.relation).text(locale),
        scopes=list(view.scopes),
        state=view.state,
        status=status(view.state, locale),
        standing=status(view.standing, locale),
        requested_at=view.requested_at,
        active_since=view.active_since,
        expires_on=view.expires_on,
        consented_by=view.consented_by,
        pay_limit=money_or_none(view.pay_limit_fen, locale),
        pay_day_limit=money_or_none(view.pay_day_limit_fen, locale),
    )


def act_type(view: ProxyActView, locale: Locale) -> ProxyAct:
    """Return an act for the schema, as the person for whom it was done would say it."""
    at, what = local_minute(view.at), words(view.action).text(locale)
    if locale is Locale.ZH:
        paid = (
            "" if view.amount_fen is None else f"，从您的个人账户支付{yuan_text(view.amount_fen)}元"
        )
        text = f"{at}，{view.delegate_name}为您{what}{paid}。"
    else:
        paid = (
            ""
            if view.amount_fen is None
            else f" Your account paid CNY {yuan_text(view.amount_fen)}."
        )
        text = f"{at}, {view.delegate_name} for you: {what}{paid}"
    return ProxyAct(
        act_id=strawberry.ID(str(view.id)),
        binding_id=strawberry.ID(view.binding_id),
        at=view.at,
        action=view.action,
        delegate_name=view.delegate_name,
        amount=money_or_none(view.amount_fen, locale),
        text=text,
        speech_text=text.replace("*", ""),
    )


@strawberry.type
class FamilyQueries:
    """What a person may ask about their relatives."""

    @strawberry.field(description="Relatives whom the caller acts for, and who act for the caller.")
    async def family(self, info: Info) -> FamilyBindings:
        """Return bindings of both directions that are not over."""
        actor, locale = await signed_in(info), info.context.locale
        mine, theirs = await info.context.door.read(
            lambda unit: (
                queries.of_delegate(unit, actor.person_id),
                queries.of_owner(unit, actor.person_id),
            )
        )
        return FamilyBindings(
            acting_for=[binding_type(view, locale) for view in mine],
            acted_for_by=[binding_type(view, locale) for view in theirs],
        )

    @strawberry.field(
        description="What relatives did for the caller, the newest first.",
        graphql_type=list[ProxyAct],
    )
    async def proxy_acts(
        self, info: Info, first: int | None = None, before: strawberry.ID | None = None
    ) -> Any:
        """Return what was done; ``before`` is the id of the last one that was seen."""
        actor, locale = await signed_in(info), info.context.locale
        size = page_size(first)
        below = None if before is None else row_number(before, "before")
        views = await info.context.door.read(
            lambda unit: queries.acts_for(unit, actor.person_id, below, size)
        )
        return [act_type(view, locale) for view in views]


async def _binding(info: Info, use_case: Any, command: Callable[[Any], Any]) -> Any:
    outcome = await info.context.act(use_case, command)
    locale = info.context.locale
    return answer(outcome, locale, lambda view: binding_type(view, locale))


_CHANGE = (KEYED[0], BindingNotFound)


@strawberry.type
class FamilyMutations:
    """Binding relatives and letting them go."""

    @strawberry.mutation(
        description="Ask to act for a relative.",
        graphql_type=result_union(
            "RequestBindingResult",
            FamilyBinding,
            (
                *KEYED,
                RelativeUnknown,
                TooManyBindingRequests,
                BindingNotPossible,
                AlreadyBound,
                TooManyRelatives,
                BoundTooOften,
            ),
        ),
    )
    async def request_binding(self, info: Info, input: RequestBindingInput) -> Any:
        """Ask for a binding."""
        return await _binding(
            info,
            service.request_binding,
            lambda actor: RequestBinding(
                actor,
                input.owner_name,
                input.owner_id_number,
                input.relation,
                tuple(input.scopes),
                input.promise,
                input.request_id,
            ),
        )

    @strawberry.mutation(
        description="Have a code sent to the relative's phone, which they may read out.",
        graphql_type=result_union(
            "AskConsentResult",
            ConsentCodeSent,
            (*_CHANGE, BindingNotPossible, NoPhoneForConsent, TooManyCodes),
        ),
    )
    async def ask_consent(self, info: Info, input: ConsentInput) -> Any:
        """Ask for consent."""
        outcome = await info.context.act(
            service.ask_consent,
            lambda actor: AskConsent(
                actor, input.binding_id, input.kind, input.pay_limit_fen, input.pay_day_limit_fen
            ),
        )

        def shown(asked: ConsentAsked) -> ConsentCodeSent:
            return ConsentCodeSent(
                binding_id=strawberry.ID(asked.binding_id),
                kind=asked.kind,
                expires_at=asked.expires_at,
            )

        return answer(outcome, info.context.locale, shown)

    @strawberry.mutation(
        description="Enter the code that the relative has read out.",
        graphql_type=result_union(
            "ConsentByCodeResult", FamilyBinding, (*_CHANGE, ConsentCodeWrong, BoundTooOften)
        ),
    )
    async def consent_by_code(self, info: Info, input: ConsentByCodeInput) -> Any:
        """Take consent by a code."""
        return await _binding(
            info,
            service.consent_by_code,
            lambda actor: ConsentByCode(actor, input.binding_id, input.code),
        )

    @strawberry.mutation(
        description="Consent on one's own device; asks for a fresh proof.",
        graphql_type=result_union(
            "GiveConsentResult",
            FamilyBinding,
            (*_CHANGE, BindingNotPossible, StepUpRequired, BoundTooOften),
        ),
    )
    async def give_consent(self, info: Info, input: ConsentInput) -> Any:
        """Consent."""
        return await _binding(
            info,
            service.consent,
            lambda actor: Consent(
                actor, input.binding_id, input.kind, input.pay_limit_fen, input.pay_day_limit_fen
            ),
        )

    @strawberry.mutation(
        description="Say no to a relative's request.",
        graphql_type=result_union("DeclineBindingResult", FamilyBinding, _CHANGE),
    )
    async def decline_binding(self, info: Info, input: BindingInput) -> Any:
        """Decline."""
        return await _binding(
            info, service.decline_binding, lambda actor: DeclineBinding(actor, input.binding_id)
        )

    @strawberry.mutation(
        description="One tap ends it, by either side, at once.",
        graphql_type=result_union("EndBindingResult", FamilyBinding, _CHANGE),
    )
    async def end_binding(self, info: Info, input: BindingInput) -> Any:
        """End a binding."""
        return await _binding(
            info, service.end_binding, lambda actor: EndBinding(actor, input.binding_id)
        )
