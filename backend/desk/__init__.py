"""The agency's desk: what staff decide about people of their regions, one or two persons at a time."""
