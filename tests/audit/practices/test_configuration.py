"""Command line, files, typed objects, environment, validation."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param("config-cli", """
import click
@click.command()
@click.option("--lr", default=0.1)
def main(lr):
    print(lr)
""", id="click command"),
    pytest.param("config-cli", """
import sys
def main(config):
    for text in sys.argv[1:]:
        key, _, value = text.partition("=")
        setattr(config, key, value)
""", id="own parser of overrides"),
    pytest.param("config-cli", "import tyro\nfrom package import Args\nargs = tyro.cli(Args)\n", id="tyro"),
    pytest.param("config-file", """
from omegaconf import OmegaConf
def load(path):
    return OmegaConf.load(path)
""", id="OmegaConf"),
    pytest.param("config-file", "exec(open('settings.py').read())\n", id="executed Python file"),
    pytest.param("config-file", """
import argparse
import json
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    args = parser.parse_args()
    with open(args.config) as file:
        return json.load(file)
""", id="JSON file given on the command line"),
    pytest.param("config-typed", """
from pydantic import BaseModel
class TrainArgs(BaseModel):
    lr: float = 0.1
""", id="pydantic model"),
    pytest.param("config-typed", """
from typing import NamedTuple
class Settings(NamedTuple):
    lr: float = 0.1
""", id="named tuple"),
    pytest.param("config-typed", """
import attrs
@attrs.define
class RunConfig:
    lr: float = 0.1
""", id="attrs class"),
    pytest.param("config-env", "import os\nHOME = os.environ['DEMO_HOME']\n", id="subscript"),
    pytest.param("config-env", "from os import getenv\nHOME = getenv('DEMO_HOME')\n", id="getenv"),
    pytest.param("config-env", """
import os
def flag(name):
    return os.environ.get(name, "") == "1"
FAST = flag("DEMO_FAST")
""", id="through an own function"),
    pytest.param("config-validation", """
import argparse
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    if args.steps < 1:
        parser.error("--steps must be positive")
""", id="parser.error"),
    pytest.param("config-validation", """
from pydantic import BaseModel, field_validator
class Config(BaseModel):
    lr: float
    @field_validator("lr")
    def positive(cls, value):
        if value <= 0:
            raise ValueError("lr must be positive")
        return value
""", id="pydantic validator"),
    pytest.param("config-validation", """
class Trainer:
    def __init__(self, steps):
        if steps < 1:
            raise ValueError("steps must be positive")
        self.steps = steps
""", id="constructor"),
]  # fmt: skip
MISSES = [
    pytest.param("config-cli", "def main(lr):\n    print(lr)\n", id="function"),
    pytest.param("config-cli", "import sys\nprint(sys.executable)\n", id="other use of sys"),
    pytest.param("config-cli", """
# file: package/__init__.py
def fit():
    return 1
# file: examples/run.py
import argparse
argparse.ArgumentParser().parse_args()
""", id="parser in an example"),
    pytest.param("config-file", """
import json
def from_pretrained(folder):
    with open(folder + "/model.json") as file:
        return json.load(file)
""", id="own model file"),
    pytest.param("config-file", """
import yaml
def save(values, file):
    yaml.safe_dump(values, file)
""", id="written only"),
    pytest.param("config-file", """
import importlib
def plugin(name):
    return importlib.import_module(name)
""", id="import of a plugin"),
    pytest.param("config-typed", "class Config(dict):\n    pass\n", id="mapping"),
    pytest.param("config-typed", """
from dataclasses import dataclass
@dataclass
class Batch:
    size: int
""", id="dataclass of data"),
    pytest.param("config-typed", """
import argparse
def parse():
    return argparse.ArgumentParser().parse_args()
""", id="namespace"),
    pytest.param("config-env", "import os\nRANK = int(os.environ['RANK'])\n", id="launcher"),
    pytest.param("config-env", "import os\nos.environ['DEMO'] = '1'\n", id="variable that is set"),
    pytest.param("config-env", "import os\nHOME = os.environ.get('HOME')\n", id="system variable"),
    pytest.param("config-validation", """
class Trainer:
    def __init__(self, steps):
        assert steps > 0
""", id="bare assertion"),
    pytest.param("config-validation", """
def read(path):
    if not path.exists():
        raise FileNotFoundError(path)
""", id="missing file"),
    pytest.param("config-validation", """
class Base:
    def __init__(self, steps):
        raise NotImplementedError("abstract")
""", id="abstract constructor"),
]  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_it_is_present(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "present", result


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_it_is_absent(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "absent", result
