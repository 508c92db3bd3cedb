"""Numbers, networks and files: what travels to a board's host, and numpy is all that it needs."""
