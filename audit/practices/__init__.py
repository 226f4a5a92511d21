"""The catalogue of practices and their detectors, one module per capability."""
