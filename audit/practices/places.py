"""Which files a maintainer would show first."""

import re
from typing import Final

_ASIDE: Final = re.compile(
    r"(^|/|_)(experimental|legacy|deprecated|contrib|dev|extras?|extensions?|monkeypatch(es)?|"
    r"patch(es)?|integrations?|compat\w*|prototypes?|research|skills|sandbox|kernels|labs?|scratch|"
    r"misc|telemetry|adhoc|old)(/|_|\.|$)"
)


def aside(path: str) -> bool:
    """Tell whether a path is named for what is beside the main one: trials, patches, remains."""
    return bool(_ASIDE.search(path))
