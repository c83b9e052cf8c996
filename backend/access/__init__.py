"""Who may do what: one pure function over facts, asked by every use case."""
