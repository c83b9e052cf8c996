"""Insured persons: who they are, and where and how they are insured on a day."""
