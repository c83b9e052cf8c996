"""监管: rules over settlements raise alerts that inspectors work and that can hold a payment."""
