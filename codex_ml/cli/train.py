"""``codex-ml train``: train, resume, prove that resuming is exact."""

import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codex_ml.cli import let_idle_threads_sleep, run
from codex_ml.errors import ExitCode
from codex_ml.training.config_file import change, read
from codex_ml.training.demo import DEMO
from codex_ml.training.errors import ConfigError

if TYPE_CHECKING:
    from codex_ml.training.config import Config

SAMPLE = 400
"""Tokens that the demo writes."""


@click.command(name="train")
@click.argument("config_file", required=False, type=click.Path(path_type=Path), metavar="CONFIG")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE...]")
@click.option("--resume", is_flag=True, help="Go on from the run's newest intact checkpoint.")
@click.option("--demo", is_flag=True, help="Train on the bundled text instead of CONFIG.")
@click.option("--prove-resume", is_flag=True, help="Compare with an interrupted run, bit by bit.")
@click.option("--steps", type=click.IntRange(2), default=24, help="Steps of the proof (24).")
@click.option("--interruptions", type=click.IntRange(1), default=4, help="Of the proof (4).")
@click.option("--dry-run", is_flag=True, help="Print the resolved configuration and stop.")
def command(
    config_file: Path | None,
    overrides: tuple[str, ...],
    resume: bool,
    demo: bool,
    prove_resume: bool,
    steps: int,
    interruptions: int,
    dry_run: bool,
) -> int:
    """Train the model that CONFIG (TOML) describes; KEY=VALUE changes its keys.

    Prints one JSON object when it ends. SIGTERM and SIGINT finish the step, save
    and exit with 130; --resume goes on from there, or from the last checkpoint of
    a run that was killed.
    """
    let_idle_threads_sleep()
    logging.basicConfig(format="warning: %(message)s", level=logging.WARNING)
    config = _config(config_file, overrides, demo)
    if dry_run:
        from codex_ml.training.config_file import dump

        click.echo(dump(config), nl=False)
        return ExitCode.OK
    import torch  # noqa: F401  # first: what its extra brings is all that training needs

    if prove_resume:
        return _prove(config, steps, interruptions)
    return _train(config, resume=resume, demo=demo)


def _config(path: Path | None, overrides: tuple[str, ...], demo: bool) -> "Config":
    if demo:
        words = overrides if path is None else (str(path), *overrides)
        return change(DEMO, words)
    if path is None:
        raise ConfigError("no CONFIG is given: name a TOML file, or pass --demo")
    return read(path, overrides)


def _train(config: "Config", *, resume: bool, demo: bool) -> int:
    from codex_ml.training.run import train

    result = train(config, resume=resume)
    if demo:
        _show_demo(config)
    click.echo(json.dumps({"run": config.run, **dataclasses.asdict(result)}))
    return ExitCode.OK


def _show_demo(config: "Config") -> None:
    """Say on stderr how the held-out loss fell, and let the model write."""
    from codex_ml.tracking import ndjson
    from codex_ml.training.trained import load_run

    for record in ndjson.read(Path(config.run) / ndjson.FILE):
        if "validation_loss" in record:
            loss = record["validation_loss"]
            click.echo(f"step {record['step']:>5}  held-out loss {loss:.3f}", err=True)
    text = load_run(config.run).continue_text("\n", SAMPLE, seed=config.seed)
    click.echo(f"--- a sample ---{text}\n--- end of the sample ---", err=True)


def _prove(config: "Config", steps: int, interruptions: int) -> int:
    from codex_ml.training.prove import prove

    proof = prove(config, steps=steps, interruptions=interruptions, seed=config.seed)
    click.echo(proof.to_json())
    for difference in proof.differences:
        click.echo(f"not equal: {difference}", err=True)
    return ExitCode.OK if proof.holds else ExitCode.FAILED


if __name__ == "__main__":
    sys.exit(run(command))
