"""``GET /exports/settlements.csv``: a year of settlements as a table that office programs open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from backend.access.contracts import Action, Actor
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
from mobile_bff.file_routes import (
    FileRoutes,
    identifier,
    locale_of,
    malformed,
    refusal_answer,
    year_of,
)
from mobile_bff.wording import status

_HEAD = {
    Locale.ZH: "结算日期,就医日期,类型,就医类别,机构,参保地,总费用,基金支付,医院负担,个人账户,共济支付,现金,编号",
    Locale.EN: "settled on,service date,entry,care,institution,insured area,total,fund,hospital,"
    "account,family,cash,id",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Exports:
    """Hands out tables of what a person may see."""

    def __init__(self, routes: FileRoutes) -> None:
        self._routes = routes

    async def settlements(self, request: Request) -> Response:
        """Answer with a year of settlements of the caller, or of ``subject`` whom they may see."""
        locale, year = locale_of(request), year_of(request)
        if year is None:
            zh = locale is Locale.ZH
            return malformed("请用year给出年度，如year=2026。" if zh else "Give a year.")
        subject = request.query_params.get("subject", "")

        def run(
            unit: Unit, actor: Actor
        ) -> tuple[list[tuple[CareKind, SettlementView]], dict[str, InstitutionView]] | Refusal:
            person_id = identifier(subject) if subject else own_id(actor)
            right = authorize(unit, actor, Action.VIEW_RIGHTS, person_id)
            if isinstance(right, Refusal):
                return right
            note(unit, right, actor, Action.VIEW_RIGHTS)
            booked = queries.of_year(unit, person_id, year)
            places = institutions.institutions(unit, [view.institution_id for _, view in booked])
            return booked, places

        made = await self._routes.write(self._routes.caller(request), run)
        if isinstance(made, Refusal):
            return refusal_answer(made, request)
        headers = {"content-disposition": f'attachment; filename="settlements-{year}.csv"'}
        return Response(
            _table(*made, locale), media_type="text/csv; charset=utf-8", headers=headers
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
