"""Fixtures: a site folder of one's own."""

from pathlib import Path

import pytest

from tests.plugins.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")
