"""Keras files: their layers as operations that are carried out and read as those of ONNX; plain NumPy is the reference."""
