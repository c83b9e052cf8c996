"""医保 Yibao: the domain."""
