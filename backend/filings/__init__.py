"""异地就医备案: what is on file about care away from home."""
