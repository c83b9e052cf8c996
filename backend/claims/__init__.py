"""手工（零星）报销: bills that a patient paid in full, reckoned at home and paid out to the patient."""
