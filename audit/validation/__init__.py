"""Executable validation matrices: run the contracts that a document states.

parse → plan → execute → judge → report; only `execute` runs anything.
"""
