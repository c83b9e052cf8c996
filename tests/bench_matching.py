"""Precision and recall of the matching of local items, by kind of noise. Run by ``make matching``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from backend.catalogue.contracts import ItemView
from backend.catalogue.library import shipped_items
from backend.catalogue.matching import Matcher, sure_match
from tests.noisy_items import noisy_list


@dataclass
class Score:
    """What became of the rows of one kind of noise."""

    rows: int = 0
    taken: int = 0
    taken_rightly: int = 0
    proposed_first: int = 0
    proposed: int = 0
    real: int = 0


def measure(items: list[ItemView]) -> dict[str, Score]:
    """Return the scores by noise, and of all rows under ``all``."""
    matcher, scores = Matcher(items), defaultdict(Score)
    for row in noisy_list(items):
        candidates = matcher.candidates(row.local)
        sure = sure_match(candidates)
        codes = [candidate.code for candidate in candidates]
        for score in (scores[row.noise], scores["all"]):
            score.rows += 1
            score.real += row.truth is not None
            score.taken += sure is not None
            score.taken_rightly += sure is not None and sure.code == row.truth
            score.proposed += row.truth in codes
            score.proposed_first += bool(codes) and codes[0] == row.truth
    return scores


def main() -> None:
    """Print a table."""
    print("| noise | rows | taken without a person | of these wrong | right one proposed | first |")
    print("|---|---|---|---|---|---|")
    scores = measure(shipped_items())
    for noise, s in scores.items():
        if noise != "all":
            _print(noise, s)
    _print("all", scores["all"])
    total = scores["all"]
    print(
        f"\nprecision {total.taken_rightly / total.taken:.4f} of what is taken without a person; "
        f"recall {total.taken_rightly / total.real:.4f} of the items that the catalogue has"
    )


def _print(noise: str, s: Score) -> None:
    wrong = s.taken - s.taken_rightly
    print(f"| {noise} | {s.rows} | {s.taken} | {wrong} | {s.proposed} | {s.proposed_first} |")


if __name__ == "__main__":
    main()
