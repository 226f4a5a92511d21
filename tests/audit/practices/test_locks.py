"""A lock file that is too large to be read still locks."""

import pytest

from audit.model import Status
from audit.practices import registry
from audit.repository import Repository
from audit.sites import File
from audit.stages.capabilities import decide


@pytest.mark.parametrize(
    ("path", "status"), [("uv.lock", "present"), ("docs/uv.lock", "absent")], ids=["own", "docs"]
)
def test_a_large_lock_file_locks(path: str, status: Status) -> None:
    lock = File(path, "config", "0" * 40, problem="larger than 1 MiB")
    (lockfile,) = (one for one in registry.declared() if one.id == "repro-lockfile")
    (result,) = decide(Repository([lock]), [lockfile])
    assert result.status == status
