"""Where a run's metrics go: one interface over files and services."""
