"""Measure a model on a dataset, keep every record, and compare with a baseline."""
