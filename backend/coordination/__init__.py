"""问题协同: what went wrong at a place of care, handled between that place's agency and the insured area's."""
