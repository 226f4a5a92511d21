"""The CI decision: rules, what they are compared with, the smallest change that cures."""
