"""``GET /exports/settlements.csv``: a year of settlements as a table that office programs open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.access.contracts import Action
from backend.access.logic import own_id
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.calendar import local_day
from backend.kernel.errors import Locale, Refusal
from backend.kernel.money import yuan_text
from backend.proxies.authority import authorize, note
from backend.regions.library import area_name
from backend.settlement import queries
from backend.settlement.case import CareKind
from backend.settlement.contracts import SettlementView
from mobile_bff.bearer import Bearer
from mobile_bff.context import resolve_actor
from mobile_bff.door import Door
from mobile_bff.http import preferred_locale
from mobile_bff.wording import status

_HEAD = {
    Locale.ZH: "结算日期,就医日期,类型,就医类别,机构,参保地,总费用,基金支付,医院负担,个人账户,共济支付,现金,编号",
    Locale.EN: "settled on,service date,entry,care,institution,insured area,total,fund,hospital,"
    "account,family,cash,id",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_YEARS = range(2000, 2100)


class Exports:
    """Hands out tables of what a person may see."""

    def __init__(self, door: Door, bearer: Bearer) -> None:
        self._door = door
        self._bearer = bearer

    async def settlements(self, request: Request) -> Response:
        """Answer with a year of settlements of the caller, or of ``subject`` whom they may see."""
        locale = preferred_locale(request.headers.get("accept-language", ""))
        asked = request.query_params.get("year", "")
        if not (asked.isascii() and asked.isdigit() and int(asked[:5]) in _YEARS):
            words = "请用year给出年度，如year=2026。" if locale is Locale.ZH else "Give a year."
            return JSONResponse({"code": "BAD_REQUEST", "message": words}, 400)
        claims = self._bearer.claims(request.headers.get("authorization", ""))
        address = request.client.host if request.client else ""

        def run(
            unit: Unit, _: None
        ) -> tuple[list[tuple[CareKind, SettlementView]], dict[str, InstitutionView]] | Refusal:
            actor = resolve_actor(unit, claims, address)
            person_id = request.query_params.get("subject") or own_id(actor)
            right = authorize(unit, actor, Action.VIEW_RIGHTS, person_id)
            if isinstance(right, Refusal):
                return right
            note(unit, right, actor, Action.VIEW_RIGHTS)
            booked = queries.of_year(unit, person_id, int(asked))
            places = institutions.institutions(unit, [view.institution_id for _, view in booked])
            return booked, places

        found = await self._door.write(run, None, request.scope.get("yibao_request_id", ""))
        if isinstance(found, Refusal):
            body = {"code": found.code(), "message": found.message(locale)}
            return JSONResponse(body, 401 if found.code() == "SIGN_IN_REQUIRED" else 403)
        headers = {"content-disposition": f'attachment; filename="settlements-{asked}.csv"'}
        return Response(
            _table(*found, locale), media_type="text/csv; charset=utf-8", headers=headers
        )


def _table(
    booked: list[tuple[CareKind, SettlementView]],
    places: dict[str, InstitutionView],
    locale: Locale,
) -> str:
    """Return the table, with the mark by which office programs know UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_HEAD[locale].split(","))
    writer.writerows(_rows(booked, places, locale))
    return "\ufeff" + file.getvalue()


def _rows(
    booked: list[tuple[CareKind, SettlementView]],
    places: dict[str, InstitutionView],
    locale: Locale,
) -> Iterator[list[str]]:
    for care, view in booked:
        amounts = (
            *(view.total_fen, view.fund_fen, view.hospital_fen),
            *(view.account_fen, view.family_fen, view.cash_fen),
        )
        yield [
            local_day(view.settled_at).isoformat(),
            view.service_date.isoformat(),
            _tame(status(view.kind, locale).text),
            _tame(status(care, locale).text),
            _tame(places[view.institution_id].name),
            _tame(area_name(view.area_code)),
            *(yuan_text(amount) for amount in amounts),
            _tame(view.id),
        ]


def _tame(text: str) -> str:
    """Return a text that no office program takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
