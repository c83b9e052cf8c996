"""The agency's staff: who works at the desk, with which duties in which regions."""
