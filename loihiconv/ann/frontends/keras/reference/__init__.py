"""Keras models in NumPy: what a file that has been read is held against."""
