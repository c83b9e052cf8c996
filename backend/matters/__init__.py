"""办件: what every application has in common, from the draft to the result."""
