"""The unified electronic health and insurance code: issued for a person, a purpose and a minute."""
