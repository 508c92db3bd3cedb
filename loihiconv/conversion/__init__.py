"""From a float network to the chip's integers."""
