"""Who is at the other end: sign-in by SMS code, sessions by device, rotating refresh tokens."""
