"""Spiking networks of other programs: NIR graphs in and out, and what lava-dl exports in.

A spiking network that another program has trained or converted is not converted again. It becomes a `Network` with its own weights,
thresholds and reset, and is quantized for a board as any float spiking network is.
"""
