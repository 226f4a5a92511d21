"""Fixtures: a site folder of one's own."""

from pathlib import Path

import pytest

from tests.plugins.site import Site


@pytest.fixture
def site(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path / "site", tmp_path_factory.getbasetemp() / "bytecode")
