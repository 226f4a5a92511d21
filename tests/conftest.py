"""Where torch is not installed, the modules that import it are skipped with the reason.

An interpreter may have no build of it. In CI, where it is installed, that is an error. Property
tests have no deadline.
"""

import os
from collections.abc import Generator
from importlib.util import find_spec

import pytest
from hypothesis import settings

settings.register_profile("suite", deadline=None)  # a busy machine breaks no invariant
settings.load_profile("suite")

LACKS_TORCH = find_spec("torch") is None and not os.environ.get("CI")
TORCH = pytest.mark.skipif(LACKS_TORCH, reason="torch is not installed")
"""Marks a test that needs it only when it runs."""
BUILT_ON_TORCH = {"torch", "lm_eval"}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a module that asks for torch when it is imported."""
    report = yield
    call: pytest.CallInfo[object] | None = vars(report).get("call")
    if LACKS_TORCH and call is not None and call.excinfo is not None:
        cause = call.excinfo.value.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name in BUILT_ON_TORCH:
            del vars(report)["call"]
            report.outcome = "skipped"
            report.longrepr = (str(collector.path), 1, f"Skipped: {cause.name} is not installed")
    return report
