"""Command lines read from code: click, argparse and typer trees, never imported."""
