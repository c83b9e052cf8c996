"""Some histories of a whole province; `make simulation` runs more and longer ones."""

from __future__ import annotations

from tests.simulation.whole_province import Province
from tests.world import World


def test_everybody_uses_everything_and_every_fen_is_somewhere(
    world: World, seed: int, happenings: int
) -> None:
    began = world.clock.now()
    province = Province(world, seed)
    province.goes_on(happenings * 2)
    days = (world.clock.now() - began).days
    province.comes_to_rest()
    assert province.faults() == []
    done = {name.partition(":")[0] for name in province.answers if name.endswith("done")}
    assert (days > 5, province.deaths > 2) == (True, True)
    assert len(done) >= 12, province.answers
