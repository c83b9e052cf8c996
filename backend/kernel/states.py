"""State machines as data: one table of ``(state, event) → state``, asked by the code and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True)
class StateTable(Generic[S, E]):
    """All legal moves of one kind of thing. What the table does not hold cannot happen."""

    name: str
    title: str
    initial: tuple[S, ...]
    moves: Mapping[tuple[S, E], S]

    def after(self, state: S, event: E) -> S | None:
        """Return the state that the event leads to, or ``None`` where it may not happen."""
        return self.moves.get((state, event))

    def final_states(self) -> set[S]:
        """Return the states that nothing leads out of."""
        reached = set(self.moves.values()) | set(self.initial)
        return reached - {state for state, _ in self.moves}

    def diagram(self) -> str:
        """Return the table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2"]
        lines += [f"    [*] --> {state}" for state in self.initial]
        lines += [f"    {a} --> {b}: {event}" for (a, event), b in self.moves.items()]
        lines += [f"    {state} --> [*]" for state in sorted(self.final_states())]
        return "\n".join(lines)
