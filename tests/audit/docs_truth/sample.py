"""A miniature project whose documentation tells the truth."""

from collections.abc import Iterable, Mapping
from textwrap import dedent

from audit.docs_truth.world import World
from tests.audit.build import repository

FILES: Mapping[str, str] = {
    "pyproject.toml": """
        [project]
        name = "sample"
        version = "1.0"

        [project.scripts]
        sample = "sample.cli:main"

        [project.optional-dependencies]
        fast = ["numpy"]

        [project.entry-points."sample.plugins"]
        builtin = "sample.core:Runner"
        """,
    "Makefile": """
        check: lint
        \tpython -m pytest

        lint:
        \truff check
        """,
    "mkdocs.yml": """
        site_name: Sample
        nav:
          - Home: index.md
          - Usage: usage.md
          - Reference: reference.md
        """,
    "sample/__init__.py": '''
        """Sample."""
        from sample.core import Runner as Runner, run as run

        __all__ = ["Runner", "run"]
        ''',
    "sample/__main__.py": """
        from sample.cli import main

        main()
        """,
    "sample/core.py": '''
        """What runs."""
        import os
        from importlib.metadata import entry_points


        def run(steps: int, seed: int = 0) -> dict[str, object]:
            """Run.

            Args:
                steps: how many.
                seed: where the numbers start.
            """
            folder = os.environ.get("SAMPLE_CACHE", "")
            wait = float(os.environ["SAMPLE_TIMEOUT"])
            return {"steps": steps, "seed": seed, "folder": folder, "seconds": wait}


        class Runner:
            """Runs."""

            def __init__(self, steps: int = 4) -> None:
                self.steps = steps

            def start(self) -> str:
                """Start."""
                return "started"


        def plugins() -> object:
            """Return what is plugged in."""
            return entry_points(group="sample.plugins")
        ''',
    "sample/settings.py": '''
        """Settings of ``[tool.sample]``."""
        from dataclasses import dataclass


        @dataclass(frozen=True)
        class Settings:
            """What a team decides."""

            depth: int = 3
            folder: str = "runs"
            strict: bool = False
        ''',
    "sample/errors.py": '''
        """How it ends."""
        from enum import IntEnum


        class ExitCode(IntEnum):
            """What the exit status means."""

            OK = 0
            FAILED = 1
            USAGE = 2
        ''',
    "sample/cli.py": '''
        """The command line."""
        import click


        @click.group()
        def main() -> None:
            """Sample."""


        @main.command()
        @click.argument("path")
        @click.option("--jobs", type=int, default=4, help="How many at once.")
        @click.option("--quiet", is_flag=True, help="Say nothing.")
        @click.option("--format", "form", default="text")
        def audit(path: str, jobs: int, quiet: bool, form: str) -> None:
            """Audit."""
            click.echo(f"audited {path}")


        @main.command("list")
        def list_() -> None:
            """List."""
            click.echo("none")
        ''',
    "docs/logo.svg": "<svg/>",
    "docs/example.toml": "depth = 3\n",
    "docs/index.md": """
        # Sample

        ![logo](logo.svg)

        Read [how to use it](usage.md#options) and [the reference][sample.core.run].

        ```console
        $ pip install "sample[fast]"
        $ sample list
        none
        ```
        """,
    "docs/usage.md": """
        # Usage

        ## Options

        `sample audit` takes:

        | option | default |
        |---|---|
        | `--jobs` | `4` |
        | `--quiet` | |
        | `--format` | `text` |

        Pass `--quiet` to `sample audit` where nobody reads. `make check` runs the checks.
        The code is in `sample/core.py`; `sample.core.Runner.start` starts it.

        ```bash
        python -m sample audit . --jobs 2
        ```

        ```yaml
        steps:
          - run: sample audit . --quiet
        ```

        ```python
        from sample import Runner

        Runner(steps=2).start()
        ```

        ```pycon
        >>> from sample import Runner
        >>> Runner().start()
        'started'
        ```

        ```toml
        [tool.sample]
        depth = 3
        folder = "runs"
        strict = true
        ```

        --8<-- "docs/example.toml"
        """,
    "docs/reference.md": """
        # Reference

        ::: sample.core.run

        ::: sample.Runner

        ## Environment

        | variable | what |
        |---|---|
        | `SAMPLE_CACHE` | where things are kept |
        | `SAMPLE_TIMEOUT` | seconds |

        ## Exit codes

        | exit code | name |
        |---|---|
        | 0 | `OK` |
        | 1 | `FAILED` |
        | 2 | `USAGE` |

        ## Output

        `run` returns:

        ```json
        {"steps": 1, "seed": 0, "folder": "", "seconds": 1.5}
        ```

        ## Plugins

        A plugin is an entry point:

        ```toml
        [project.entry-points."sample.plugins"]
        mine = "package:Mine"
        ```
        """,
}


def project(changes: Mapping[str, tuple[str, str] | str | None] | None = None) -> dict[str, str]:
    """Return the project's files, with texts replaced, added or (None) taken away.

    Raises:
        AssertionError: a text to be replaced is not there.
    """
    files = {path: dedent(text).lstrip("\n") for path, text in FILES.items()}
    for path, change in (changes or {}).items():
        if change is None:
            del files[path]
        elif isinstance(change, str):
            files[path] = dedent(change).lstrip("\n")
        else:
            old, new = change
            assert old in files[path], f"{path} has no {old!r}"
            files[path] = files[path].replace(old, new, 1)
    return files


def world(files: Mapping[str, str]) -> World:
    """Return a world of files in memory."""

    def read(paths: Iterable[str]) -> Iterable[str]:
        return [files[path] for path in paths]

    return World(repository(dict(files)), read)
