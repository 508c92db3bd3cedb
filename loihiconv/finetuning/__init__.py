"""Optional training of a network for few time steps, before it is converted."""
