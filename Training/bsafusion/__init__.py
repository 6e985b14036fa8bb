"""BSAFusion in PyTorch: the training twin of the Swift engine. It is not the authors' code."""
