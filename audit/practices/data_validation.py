"""Data: what is rejected before a model sees it."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Raise
from audit.practices.data_readers import names_around
from audit.practices.loops import derives, learns, library_calls, spread
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import blocks_from

_SAMPLES: Final = re.compile(
    r"@\w*(dataset|dataloader|batch(?!_size)|samples?|examples?|rows?|records?|observations?|"
    r"messages?|conversations?|columns?|dataframe|df|model_input|layer_input|docs?)s?\b|"
    r"column_names|\.columns\b"
)


_VALUES: Final = re.compile(
    r"@(\w*(preds?|predictions?|inputs?|labels?|targets?|data|features?|annotations?|texts?|images?|items?|entry|obs|"
    r"schema|input)|[xXyY])\b|self\.\w*(dataset|data|samples?|columns?|records?)\b"
)


_FILES: Final = re.compile(r"exists\(\)|is_?file\(\)|is_?dir\(\)|suffix|endswith|os\.path|\.path\b")


_DATA_SCOPE: Final = re.compile(
    r"data(set|_?loader|_?module|_source)?|collat|sampler|reader|sample|example|preprocess|"
    r"transform|check_env|vec_env|corpus|feature|schema|corda|observation|"
    r"(check|validate)_\w*(array|target|label|input|pred|tensor|image|box|shape)"
)


_OTHER: Final = re.compile(
    r"NotImplemented|FileNotFound|Import|StopIteration|IndexError|Deprecat|Module|Config|Timeout|HTTP"
)


_CHECKS: Final = re.compile(
    r"isinstance|not in |builtins\.(len|set|type|all|any)\(\)|shape|ndim|dim\(\)|dtype|columns|"
    r"keys\(\)|isnan|isfinite|is None|[<>]|!=|\.size"
)


@practice("data-validation", looks_for="errors for input data of the wrong shape, type or columns")
def data_validation(repo: Repository) -> Iterator[Place]:
    """Input data is checked, with an explicit error.

    An error is raised because of the type, keys, columns, range or shape of a sample,
    batch or dataset. Missing files and asserts do not count.

    Why:
        Bad rows otherwise surface as a shape error deep in the model, or not at all.
    Fix:
        Check columns, types and ranges where data enters and raise an error that names them.
    Good:
        import datasets
        def check(dataset, wanted):
            missing = set(wanted) - set(dataset.column_names)
            if missing:
                raise ValueError(f"columns are missing: {sorted(missing)}")
    Bad:
        def load(path):
            if not path.exists():
                raise FileNotFoundError(f"no file {path}")
            return path.read_text()
    Drop-in: codex_ml.data.open_tokens
    """
    if not learns(repo):
        return
    for site, what in library_calls(repo, "data-schemas"):
        yield at(site, f"{what} checks the data")
    yield from spread(
        in_code(module, one.scope, one.line, "raises an error for data that does not fit")
        for module in repo.product
        for one in _rejections(repo, module)
    )


def _rejections(repo: Repository, module: Module) -> Iterator[Raise]:
    """Yield the errors that are raised because of what data holds."""
    raised = [one for one in module.facts.raises if one.message and not _OTHER.search(one.name)]
    if not raised:
        return
    said: dict[int, list[str]] = {}
    for call in module.facts.calls:
        said.setdefault(call.line, []).extend(call.args)
    for one in raised:
        tests = [b for b in blocks_from(module, one.block) if b.kind in ("if", "else")][:2]
        texts = [f"{b.text} {' '.join(said.get(b.line, ()))}" for b in tests]
        if any(_concerns_data(repo, module, one.scope, text) for text in texts):
            yield one


def _concerns_data(repo: Repository, module: Module, scope: int, text: str) -> bool:
    """Tell whether a condition looks into samples: a model's own shape checks do not."""
    if not _CHECKS.search(text) or _FILES.search(text):
        return False
    if derives(repo, module, scope, r"nn\.(modules\.\w+\.)?Module$"):
        return False
    if _SAMPLES.search(text):
        return True
    one = module.facts.definitions[scope]
    if "builtins.set() - builtins.set()" in text:
        return any(_SAMPLES.search(f"@{name}") for name in one.params)
    names = names_around(module, scope)
    return bool(_VALUES.search(text)) and any(map(_DATA_SCOPE.search, names))
