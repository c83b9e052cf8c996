"""Some histories of paying, each of many days; `make simulation` runs more and longer ones."""

from __future__ import annotations

from tests.simulation.many_days import History
from tests.world import World


def test_every_order_comes_to_an_end_and_every_fen_is_somewhere(
    world: World, seed: int, happenings: int
) -> None:
    began = world.clock.now()
    history = History(world, seed)
    history.goes_on(happenings)
    days = (world.clock.now() - began).days
    history.comes_to_rest()
    assert history.faults() == []
    states = {order.state for order in history.views()}
    assert len(states) >= 3, states
    assert (days > 5, history.deaths > 2) == (True, True)
