"""The batched simulator and its kernels."""

from loihiconv.simulation.engine import simulate

__all__ = ["simulate"]
