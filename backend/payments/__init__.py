"""Bills at a till: scanned, priced, confirmed on the phone, settled, reversed."""
