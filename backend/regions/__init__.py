"""Administrative divisions (GB/T 2260) and the areas that insure people."""
