"""Side-by-side benchmarks: measurements, no tests."""
