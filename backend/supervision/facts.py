"""Gathers what the rules look at from the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from backend.catalogue.contracts import ItemKind
from backend.codes import service as codes
from backend.codes.contracts import Purpose
from backend.infra.database import Unit
from backend.institutions import queries as institutions
from backend.institutions.contracts import InstitutionView
from backend.kernel.money import Quantity
from backend.people import queries as people
from backend.settlement import history
from backend.settlement.case import LineInput
from backend.settlement.history import PackSold, PastSale
from backend.supervision.contracts import Monitor
from backend.supervision.logic import (
    NIGHT_HOURS,
    Bought,
    PackSale,
    Presence,
    Sale,
    Scene,
    Spot,
    Terms,
)

_SCANS = timedelta(days=1)


def spot_of(place: InstitutionView) -> Spot:
    """Return an institution as the rules see it."""
    return Spot(
        institution_id=place.id,
        name=place.name,
        area_code=place.area_code,
        latitude=place.latitude,
        longitude=place.longitude,
        hours=place.hours,
    )


def drugs_of(lines: Sequence[LineInput]) -> tuple[Bought, ...]:
    """Return the drugs of a bill, each with how many units of it were bought in all."""
    packs: dict[str, int] = {}
    names = {line.code: line.name for line in lines if line.kind is ItemKind.DRUG}
    for line in lines:
        if line.code in names:
            packs[line.code] = packs.get(line.code, 0) + line.quantity
    return tuple(Bought(code, names[code], Quantity(number)) for code, number in packs.items())


def scene_of(
    unit: Unit, sale: Sale, trace_codes: Sequence[str], terms: Terms, wanted: Collection[Monitor]
) -> Scene:
    """Return a sale and what came before it, as far as the wanted rules look at it.

    ``sale.id`` is that of its bill where nothing is settled yet, else that of its settlement.
    """
    of_person: list[PastSale] = []
    of_terminal: list[PastSale] = []
    packs: list[PackSold] = []
    seen: list[tuple[str, datetime]] = []
    if {Monitor.SPLIT, Monitor.QUANTITY} & set(wanted):
        back = timedelta(days=terms.quantity_days, hours=terms.split_hours)
        of_person = history.sold_to(unit, sale.person_id, sale.at - back)
    if {Monitor.ODD_HOURS, Monitor.RELAYED} & set(wanted):
        night = NIGHT_HOURS if Monitor.ODD_HOURS in wanted else 0
        back = timedelta(hours=night, minutes=terms.relayed_minutes)
        of_terminal = history.sold_at(unit, sale.terminal_id, sale.at - back)
    if Monitor.TRACE_TWICE in wanted:
        packs = history.packs_sold(unit, trace_codes)
    if Monitor.TRAVEL in wanted:
        seen = codes.presences(unit, sale.person_id, sale.at - _SCANS)
    spots = _spots(unit, sale, [*of_person, *of_terminal], packs, seen)
    return Scene(
        sale=sale,
        seen=tuple(Presence(at, spots[place]) for place, at in seen if at <= sale.at),
        of_person=tuple(past_sale(one, spots) for one in of_person if _before(one, sale)),
        of_terminal=tuple(past_sale(one, spots) for one in of_terminal if _before(one, sale)),
        packs=tuple(
            PackSale(pack.trace_code, pack.settlement_id, spots[pack.institution_id], pack.at)
            for pack in packs
            if pack.at <= sale.at and pack.settlement_id != sale.id
        ),
        died_on=people.died_on(unit, sale.person_id) if Monitor.DEAD in wanted else None,
    )


def past_sale(past: PastSale, spots: dict[str, Spot]) -> Sale:
    """Return a settled bill as the rules see it."""
    return Sale(
        id=past.settlement_id,
        at=past.at,
        person_id=past.person_id,
        home_area=past.area_code,
        spot=spots[past.institution_id],
        terminal_id=past.terminal_id,
        pharmacy=past.purpose == Purpose.PHARMACY_PURCHASE,
        total_fen=past.total_fen,
        drugs=drugs_of(past.lines),
        stay=past.purpose == Purpose.HOSPITAL_ADMISSION,
    )


def _before(past: PastSale, sale: Sale) -> bool:
    return past.at <= sale.at and sale.id not in (past.settlement_id, past.bill_id)


def _spots(
    unit: Unit,
    sale: Sale,
    past: Sequence[PastSale],
    packs: Sequence[PackSold],
    seen: Sequence[tuple[str, datetime]],
) -> dict[str, Spot]:
    ids = {one.institution_id for one in past} | {one.institution_id for one in packs}
    ids |= {place for place, _ in seen}
    ids.discard(sale.spot.institution_id)
    found = institutions.institutions(unit, sorted(ids)) if ids else {}
    return {sale.spot.institution_id: sale.spot} | {
        institution_id: spot_of(view) for institution_id, view in found.items()
    }
