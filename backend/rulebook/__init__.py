"""The law as dated data, and the choice of the function that a date asks for."""
