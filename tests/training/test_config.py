"""Configuration: what is written, what is refused, and how."""

from pathlib import Path
from typing import Any

import pytest

from codex_ml.training import Config, ConfigError, read_config
from codex_ml.training.config_file import dump, parse


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.toml").touch()
    assert read_config(tmp_path / "c.toml") == Config()


def test_what_is_dumped_reads_back(tmp_path: Path) -> None:
    words = ["optimizer.betas=[0.8, 0.9]", "model.layers=7", "logging.trackers=['mlflow']"]
    config = parse({}, words)
    (tmp_path / "c.toml").write_text(dump(config))
    assert read_config(tmp_path / "c.toml") == config
    assert config.optimizer.betas == (0.8, 0.9)
    assert config.model == {"name": "transformer", "layers": 7} or config.model == {"layers": 7}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("optimizer.lr=3e-4", 3e-4),
        ("optimizer.lr=1", 1.0),
        ("training.device=cuda:1", "cuda:1"),
        ("training.compile=true", True),
        ("run=runs/a b", "runs/a b"),
        ("run='12'", "12"),
    ],
)
def test_words_are_toml_values_or_texts(word: str, expected: object) -> None:
    found: Any = parse({}, [word])
    for part in word.partition("=")[0].split("."):
        found = getattr(found, part)
    assert found == expected


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"sead": 1}, "no key 'sead': did you mean 'seed'?"),
        ({"optimizer": {"lrr": 1}}, "no key 'optimizer.lrr': did you mean 'lr'?"),
        ({"zzz": 1}, "no key 'zzz': there are run, seed"),
        ({"training": {"steps": "many"}}, "training.steps: Expected `int`, got `str`"),
        ({"training": {"steps": 0}}, "training.steps: Expected `int` >= 1"),
        ({"training": 1}, "training: Expected table, got `int`"),
        (
            {"training": {"precision": "float8"}},
            "training.precision: Invalid enum value 'float8': there are float32, bfloat16",
        ),
        ({"run": ""}, "run: Expected `str` of length >= 1"),
    ],
)
def test_wrong_keys_and_values_are_named(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(table, (), "c.toml")
    assert str(error.value).startswith(f"c.toml: {says}")


@pytest.mark.parametrize("word", ["steps", "=1", "seed.x=1"])
def test_words_that_are_no_overrides_are_named(word: str) -> None:
    with pytest.raises(ConfigError, match=word.replace(".", r"\.")):
        parse({"seed": 1}, [word])


def test_files_that_are_no_configuration_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none: cannot be read: No such file"):
        read_config(tmp_path / "none")
    (tmp_path / "c.toml").write_text("seed = ")
    with pytest.raises(ConfigError, match="not TOML: Invalid value"):
        read_config(tmp_path / "c.toml")
    (tmp_path / "c.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not TOML"):
        read_config(tmp_path / "c.toml")
