"""Command lines read from code: click, argparse, typer."""

import pytest

from audit.docs_truth import engine
from tests.audit.docs_truth.sample import world

PROJECT = '[project]\nname = "kit"\n[project.scripts]\nkit = "kit.cli:main"\n'
ARGPARSE = """
import argparse

def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    build = commands.add_parser("build")
    build.add_argument("--out", default="dist")
    build.add_argument("-f", "--fast", action="store_true")
    parser.parse_args()
"""
TYPER = """
from typing import Annotated
import typer

main = typer.Typer()

@main.command()
def build(target: str, out: str = "dist", fast: Annotated[bool, typer.Option("--fast", "-f")] = False):
    pass

@main.command("list")
def list_():
    pass
"""
LAZY = """
import click
from importlib import import_module

class Lazy(click.Group):
    def get_command(self, ctx, name):
        return import_module(f"kit.commands.{name}").command

@click.group(cls=Lazy)
def main():
    pass
"""
COMMAND = """
import click

out = click.option("--out", default="dist")

fast = click.option("--fast/--slow", "-f")

def speed(function):
    for option in (click.option("--dry"), fast):
        function = option(function)
    return function

@click.command()
@out
@speed
@click.argument("target")
def command(target, out, fast):
    pass
"""


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"kit/cli.py": ARGPARSE}, id="argparse"),
        pytest.param({"kit/cli.py": TYPER}, id="typer"),
        pytest.param(
            {
                "kit/cli.py": LAZY,
                "kit/commands/__init__.py": "",
                "kit/commands/build.py": COMMAND,
            },
            id="click, imported when asked for",
        ),
    ],
)
@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("kit build . --out there", False),
        ("kit build . --fast", False),
        ("kit build . -f", False),
        ("kit build . --quick", True),
        ("kit rebuild .", True),
    ],
)
def test_a_tree_knows_its_commands_and_options(
    files: dict[str, str], line: str, wrong: bool
) -> None:
    page = f"# Tool\n\n```console\n$ {line}\n```\n"
    found = engine.check(
        world({"pyproject.toml": PROJECT, "kit/__init__.py": "", "docs/a.md": page} | files)
    )
    kinds = [one.kind for one in found.findings if not one.kind.startswith("undocumented")]
    assert kinds == ["command"] * wrong
    assert found.checked["command"] == 1
