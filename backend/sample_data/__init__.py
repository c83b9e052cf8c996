"""A fictitious province to try the system on: institutions, terminals and insured persons."""
