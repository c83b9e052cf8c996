"""三目: drugs, treatments and facilities, each with the terms that held on a day."""
