"""Other simulators, each in an environment of its own, timed on request."""
