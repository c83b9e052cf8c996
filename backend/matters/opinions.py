"""What experts say of an application: at least two of one mind, each on their own, once.

Nobody is shown what another expert said before they have spoken themselves. With an appeal the round
begins anew, and who has spoken before does not speak again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from backend.infra import audit
from backend.infra.database import Unit
from backend.matters.contracts import MatterEvent, MatterView, OpinionGiven, OpinionView
from backend.matters.model import MatterOpinion

_WORDS_MAX = 500


def of_matters(unit: Unit, matter_ids: Sequence[str]) -> dict[str, list[OpinionView]]:
    """Return what experts said of some applications, in order."""
    rows = unit.db.exec(
        select(MatterOpinion)
        .where(col(MatterOpinion.matter_id).in_(matter_ids))
        .order_by(col(MatterOpinion.id))
    ).all()
    found: dict[str, list[OpinionView]] = {}
    for row in rows:
        view = OpinionView(row.round, row.expert, row.meets, row.words, row.at)
        found.setdefault(row.matter_id, []).append(view)
    return found


def round_of(matter: MatterView) -> int:
    """Return which round an application is in: 1, and one more with each appeal."""
    return 1 + sum(step.event is MatterEvent.APPEAL for step in matter.steps)


def verdict(opinions: Sequence[OpinionView], in_round: int, needed: int) -> bool | None:
    """Return what so many experts agree on in a round; ``None``: nothing yet, another one is asked."""
    said = [one.meets for one in opinions if one.round == in_round]
    for answer in (True, False):
        if said.count(answer) >= needed:
            return answer
    return None


def give(
    unit: Unit, matter: MatterView, by: str, meets: bool, words: str
) -> list[OpinionView] | OpinionGiven:
    """Store what an expert says and return everything said. Before: the application is locked."""
    before = of_matters(unit, [matter.id]).get(matter.id, [])
    if any(one.expert == by for one in before):
        return OpinionGiven()
    row = MatterOpinion(
        matter_id=matter.id,
        round=round_of(matter),
        expert=by,
        meets=meets,
        words=words.strip()[:_WORDS_MAX],
        at=unit.now,
    )
    unit.db.add(row)
    unit.db.flush()
    facts = {"matter": matter.id, "meets": meets}
    audit.record(unit, by, "matter.opinion", f"person:{matter.person_id}", facts)
    return [*before, OpinionView(row.round, by, meets, row.words, row.at)]
