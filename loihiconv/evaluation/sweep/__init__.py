"""Many settings side by side."""
