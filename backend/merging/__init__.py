"""Merging two records of one person, decided by two people, never silently."""
