"""Boards: their limits, and what fits on them."""
