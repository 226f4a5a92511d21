"""Registries by the ways in which projects write them."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "plugin-registry": {
        "a metaclass keeps its classes": """
            REG = {}
            class Meta(type):
                def __new__(mcs, name, bases, ns):
                    cls = super().__new__(mcs, name, bases, ns)
                    REG[name] = cls
                    return cls
        """,
        "a closure keeps them": """
            def setup_registry(name):
                REGISTRY = {}
                def build(cfg):
                    return REGISTRY[cfg.name](cfg)
                def register(name):
                    def register_cls(cls):
                        if name in REGISTRY:
                            raise ValueError(name)
                        REGISTRY[name] = cls
                        return cls
                    return register_cls
                return build, register
        """,
        "setdefault": """
            _M = {}
            def register_model(name, cls):
                _M.setdefault(name, cls)
        """,
        "update": """
            _M = {}
            def register_model(name, cls):
                _M.update({name: cls})
        """,
        "a subclass hook": """
            class Base:
                registry = {}
                def __init_subclass__(cls, name=None, **kw):
                    super().__init_subclass__(**kw)
                    cls.registry[name or cls.__name__] = cls
        """,
        "a class method of a factory": """
            class Factory:
                _reg = {}
                @classmethod
                def register(cls, name):
                    def deco(sub):
                        cls._reg[name] = sub
                        return sub
                    return deco
                @classmethod
                def create(cls, name, **kw):
                    return cls._reg[name](**kw)
        """,
        "the function's own name is the key": """
            import sys
            _model_entrypoints = {}
            def register_model(fn):
                mod = sys.modules[fn.__module__]
                model_name = fn.__name__
                _model_entrypoints[model_name] = fn
                return fn
        """,
    },
    "plugin-collision-guard": {
        "a closure refuses": """
            def setup_registry(name):
                REGISTRY = {}
                def register(name):
                    def register_cls(cls):
                        if name in REGISTRY:
                            raise ValueError(name)
                        REGISTRY[name] = cls
                        return cls
                    return register_cls
                return register
        """,
        "an assertion": """
            class Registry:
                def __init__(self): self._d = {}
                def register(self, name, obj):
                    assert name not in self._d, name
                    self._d[name] = obj
        """,
        "another name of the key": """
            class Registry:
                def __init__(self, m): self._extra = {}
                def register(self, key, value, exist_ok=False):
                    if hasattr(key, "__name__"):
                        model_name = key.__name__
                        if model_name in self._extra and not exist_ok:
                            raise ValueError(key)
                    self._extra[key] = value
        """,
    },
    "plugin-listing": {
        "the registry is iterable": """
            class Registry:
                def __init__(self): self._d = {}
                def register(self, name, obj):
                    self._d[name] = obj
                def __iter__(self):
                    return iter(self._d.items())
        """,
        "a comprehension filters": """
            M = {}
            def register_model(name, cls): M[name] = cls
            def list_models(filter=''):
                return [k for k in M if filter in k]
        """,
        "a command prints": """
            M = {}
            def register_model(name, cls): M[name] = cls
            def list_tasks():
                for name in sorted(M):
                    print(name)
        """,
    },
}

MISSES = {
    "plugin-registry": {
        "hooks of one module": """
            class M:
                def register_forward_hook(self, name, hook):
                    self.hooks[name] = hook
        """,
        "parameters of one module": """
            class M:
                def register_parameter(self, name, p):
                    self._parameters[name] = p
        """,
        "a cache": """
            CACHE = {}
            def remember(key, value): CACHE[key] = value
        """,
        "a local mapping": """
            def collect(rows, key, value):
                out = {}
                out.setdefault(key, value)
                return out
        """,
        "options": """
            CONFIG = {}
            def set_option(name, value): CONFIG.update({name: value})
        """,
        "attributes of names": """
            class Engine:
                attributes = {}
                def register_events(self, names, attributes):
                    for name in names:
                        self.attributes[name] = attributes[name]
        """,
    },
    "plugin-collision-guard": {
        "only a look-up refuses": """
            class Registry:
                def __init__(self): self._d = {}
                def register(self, name, obj):
                    self._d[name] = obj
                def get(self, name):
                    if name not in self._d: raise KeyError(name)
                    return self._d[name]
        """,
    },
    "plugin-listing": {
        "a look-up": """
            M = {}
            def register_model(name, cls): M[name] = cls
            def get_model(name): return M[name]
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
