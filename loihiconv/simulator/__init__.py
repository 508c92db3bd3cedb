"""The batched simulator and its kernels."""

from loihiconv.simulator.engine import simulate

__all__ = ["simulate"]
