"""Where accuracy goes, step by step and layer by layer."""
