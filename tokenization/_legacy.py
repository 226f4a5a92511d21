"""How a legacy module stands in for its successor."""

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from types import FrameType


def stand_in(name: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Warn that module `name` is legacy; return its `__getattr__` and `__dir__`.

    Both ask ``codex_ml.<name>``, imported when the first attribute is looked up.
    """
    _warn(name)

    def get(attribute: str) -> object:
        if attribute == "__all__":  # for `import *`, also where the successor declares none
            return [known for known in names() if not known.startswith("_")]
        return getattr(import_module(f"codex_ml.{name}"), attribute)

    def names() -> list[str]:
        return dir(import_module(f"codex_ml.{name}"))

    return get, names


def _warn(name: str) -> None:
    requested, caller = _importer(name)
    if requested.startswith(f"{name}."):
        return  # a package on the way to its module, which will warn
    warnings.warn_explicit(
        f"{name} is deprecated: import codex_ml.{name} instead",
        DeprecationWarning,
        caller.f_code.co_filename,
        caller.f_lineno,
        module=caller.f_globals.get("__name__", "<unknown>"),
        registry=caller.f_globals.setdefault("__warningregistry__", {}),
    )


def _importer(name: str) -> tuple[str, FrameType]:
    """Return the module that was asked for, and the frame that did.

    `warnings.warn` with a stack level points into ``importlib`` when the import is
    made by `importlib.import_module`.
    """
    frame = sys._getframe(3)  # noqa: SLF001  # this, _warn, stand_in, the legacy module
    requested = name
    while frame.f_back and (
        frame.f_globals.get("__name__", "").startswith("importlib")
        or frame.f_code.co_filename.startswith("<frozen importlib")
        or frame.f_globals.get("__name__") == name
    ):
        requested = frame.f_locals.get("name", requested)
        frame = frame.f_back
    return requested, frame
