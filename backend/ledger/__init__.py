"""Double entry. Every entry's postings sum to zero; corrections are new entries."""
