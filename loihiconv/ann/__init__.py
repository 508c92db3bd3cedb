"""The float network as a graph: read from a model, rewritten until only linear maps and ReLUs are left, evaluated."""
