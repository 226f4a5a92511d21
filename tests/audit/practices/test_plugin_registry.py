"""Register functions, entry points, listing, collisions."""

import pytest

from tests.audit.build import decided

REGISTRY = """
class Registry:
    def __init__(self):
        self._items = {}
    def register(self, name):
        def decorate(cls):
            self._items[name] = cls
            return cls
        return decorate
"""
FUNCTION = """
_MODELS = {}
def register_model(name, cls):
    _MODELS[name] = cls
"""
HITS = [
    pytest.param("plugin-listing", """
class _Registry(dict):
    def register(self, name, cls):
        self[name] = cls
    def available(self):
        return list(self.keys())
REGISTRY = _Registry()
""", id="plugin-listing: a public object of a private class that is the mapping"),
    pytest.param("plugin-registry", REGISTRY, id="registry class"),
    pytest.param("plugin-registry", FUNCTION, id="register function"),
    pytest.param("plugin-registry", """
_KNOWN = {}
def known(fn):
    _KNOWN[fn.__name__] = fn
    return fn
""", id="decorator of another name"),
    pytest.param("plugin-registry", "import catalogue\nX = catalogue.create('x')\n", id="library"),
    pytest.param("plugin-entry-points", """
import importlib.metadata
def plugins():
    return list(importlib.metadata.entry_points(group="demo"))
""", id="importlib.metadata"),
    pytest.param("plugin-entry-points", """
from pkg_resources import iter_entry_points
def plugins():
    return [one.load() for one in iter_entry_points("demo")]
""", id="pkg_resources"),
    pytest.param("plugin-entry-points", """
import pluggy
def manager():
    found = pluggy.PluginManager("demo")
    found.load_setuptools_entrypoints("demo")
    return found
""", id="pluggy"),
    pytest.param("plugin-listing", FUNCTION + """
def available_models():
    return list(_MODELS.keys())
""", id="list of the keys"),
    pytest.param("plugin-listing", REGISTRY + """
    def keys(self):
        return self._items.keys()
""", id="method of the registry"),
    pytest.param("plugin-listing", FUNCTION + """
def names():
    return tuple(sorted(_MODELS))
""", id="sorted names"),
    pytest.param("plugin-collision-guard", """
import warnings
_MODELS = {}
def register_model(name, cls):
    if name in _MODELS:
        warnings.warn(f"{name} is overwritten")
    _MODELS[name] = cls
""", id="warning"),
    pytest.param("plugin-collision-guard", """
_MODELS = {}
def register_model(name, override=False):
    def decorate(cls):
        if name in _MODELS and not override:
            raise KeyError(f"{name} is taken")
        _MODELS[name] = cls
        return cls
    return decorate
""", id="override flag"),
    pytest.param("plugin-collision-guard", """
_MODELS = {}
def register_model(name, cls):
    assert name not in _MODELS, f"{name} is taken"
    _MODELS[name] = cls
""", id="assertion with message"),
]  # fmt: skip
MISSES = [
    pytest.param("plugin-listing", """
class _Registry(dict):
    def register(self, name, cls):
        self[name] = cls
    def available(self):
        return list(self.keys())
_registry = _Registry()
""", id="plugin-listing: a private object of a private class"),
    pytest.param("plugin-registry", "MODELS = {'a': int}\n", id="constant mapping"),
    pytest.param("plugin-registry", """
class Meter:
    def __init__(self):
        self.meters = {}
    def add_meter(self, name, meter):
        self.meters[name] = meter
""", id="values of an instance"),
    pytest.param("plugin-registry", """
_CACHE = {}
def load(name):
    _CACHE[name] = open(name).read()
    return _CACHE[name]
""", id="cache"),
    pytest.param("plugin-registry", """
def build(module):
    module.register_buffer("mask", None)
""", id="buffer of a module"),
    pytest.param("plugin-entry-points", """
from importlib.metadata import version
VERSION = version("demo")
""", id="version"),
    pytest.param("plugin-entry-points", """
# file: pyproject.toml
[project.scripts]
demo = "package:main"
# file: package/__init__.py
def main():
    pass
""", id="console script"),
    pytest.param("plugin-entry-points", "def entry_points():\n    return []\n", id="own function"),
    pytest.param("plugin-listing", FUNCTION, id="register function alone"),
    pytest.param("plugin-listing", """
MODELS = {"a": int}
def list_models():
    return sorted(MODELS)
""", id="fixed list"),
    pytest.param("plugin-listing", FUNCTION + """
def _list_models():
    return sorted(_MODELS)
""", id="private function"),
    pytest.param("plugin-collision-guard", FUNCTION, id="silent overwriting"),
    pytest.param("plugin-collision-guard", """
_MODELS = {}
def register_model(name, cls):
    if not name:
        raise ValueError("no name")
    _MODELS[name] = cls
""", id="another check"),
    pytest.param("plugin-collision-guard", """
_MODELS = {}
def register_model(name, cls):
    _MODELS[name] = cls
def make(name):
    if name not in _MODELS:
        raise KeyError(f"{name} is unknown")
    return _MODELS[name]()
""", id="check of the reader"),
]  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_it_is_present(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "present", result


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_it_is_absent(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "absent", result
