"""Every kind of application there is, and what can be done with one whatever its kind."""
