"""One door to everything that runs a network."""
