"""What each step cost: comparison of back ends, metrics, attribution of errors."""
