"""One audit from request to outcome."""
