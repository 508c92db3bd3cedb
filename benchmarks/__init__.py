"""Accuracy and speed, one command each; every number in README and docs/benchmarks.md comes from here."""
