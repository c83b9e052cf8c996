"""One-stop settlement. ``calculate`` and ``tiers`` are pure; ``service`` books what they found."""
