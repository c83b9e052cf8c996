"""The gateway for pharmacy terminals and hospital systems."""
