"""两定: designated hospitals and pharmacies, their terminals and who works at these."""
