"""What packs may say: the kinds of topics, their parameters, units and choices.

The words stand in ``vocabulary.yaml``; the check of packs and the guide for their authors both read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).parent.joinpath("vocabulary.yaml")
CARES = ("outpatient", "chronic", "two_diseases", "injury", "inpatient")
SCHEMES = ("worker", "resident")
PAYER = "payer"


@dataclass(frozen=True)
class Term:
    """A parameter: its unit, whether or when it must be there, and what it may say."""

    unit: str
    required: str
    choices: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Topic:
    """A kind of topic with its parameters."""

    names: str
    meaning: str
    terms: Mapping[str, Term]


@dataclass(frozen=True)
class Vocabulary:
    """Every dimension that tables may be split by, and every kind of topic."""

    dimensions: Mapping[str, str]
    topics: Mapping[str, Topic]

    def topic(self, name: str) -> Topic:
        """Return the kind of a topic. One that has no fixed kind is a payer's."""
        return self.topics[kind_of(name) if kind_of(name) in self.topics else PAYER]


def kind_of(topic: str) -> str:
    """Return the kind of a topic by its name."""
    care, _, scheme = topic.rpartition("_")
    if scheme in SCHEMES and care in CARES:
        return "pool"
    return "basic" if topic.startswith("basic_") else topic


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with this program."""
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    topics = {
        name: Topic(
            topic["names"],
            topic["meaning"],
            {
                term: Term(
                    unit=words["unit"],
                    required=str(words.get("required", "")),
                    choices=tuple(words.get("choices", ())),
                    meaning=words["meaning"],
                )
                for term, words in topic["parameters"].items()
            },
        )
        for name, topic in raw["topics"].items()
    }
    return Vocabulary(raw["dimensions"], topics)
