"""ONNX files: carried out with PyTorch, operator by operator, and read as PyTorch models are; onnxruntime is the reference."""
