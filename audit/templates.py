"""Report templates: found, hashed and rendered in a sandbox.

Templates are untrusted when they come from elsewhere: Jinja's immutable sandbox,
undefined names are errors, HTML is escaped by itself.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from audit.errors import ConfigError
from audit.files import read_bytes
from audit.visible import visible

BUILT_IN = Path(__file__).parent / "_templates"
"""Where the wheel keeps them; a checkout has them under ``templates/audit``."""

MAX_CELL = 400
"""Characters of one text in a Markdown report; the other formats have it whole."""

_MARKUP = (".html.j2", ".svg.j2")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#])")


def folder() -> Path:
    """Return the folder of the built-in templates."""
    return BUILT_IN if BUILT_IN.is_dir() else Path(__file__).parents[1] / "templates" / "audit"


def load(override: Path | None = None) -> dict[str, bytes]:
    """Return the templates by name; a file in `override` replaces its namesake.

    Raises:
        ConfigError: the folder to override from cannot be read.
    """
    found = {one.name: one.read_bytes() for one in sorted(folder().glob("*.j2"))}
    if override is not None:
        if not override.is_dir():
            raise ConfigError(f"templates: {override}: no such folder")
        try:
            found |= {one.name: read_bytes(one) for one in sorted(override.glob("*.j2"))}
        except OSError as error:
            raise ConfigError(
                f"templates: {error.filename}: {(error.strerror or 'unreadable').lower()}"
            ) from None
    return found


def digest(templates: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over name and bytes of every template, in name order."""
    total = sha256()
    for name in sorted(templates):
        total.update(f"{name}\0{len(templates[name])}\0".encode() + templates[name])
    return total.hexdigest()


def markdown(value: object) -> str:
    """Escape a text for a Markdown table cell."""
    return _MARKDOWN.sub(r"\\\1", _cell(value))


def _cell(value: object) -> str:
    """Return a text as one line of at most `MAX_CELL` characters."""
    words = " ".join(str(value).split())
    return words if len(words) <= MAX_CELL else words[: MAX_CELL - 1] + "…"


def code(value: object) -> str:
    """Write a text as a Markdown code span that nothing in it can end."""
    words = _cell(value).replace("|", "\\|") or " "
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def render(templates: Mapping[str, bytes], name: str, context: Mapping[str, object]) -> str:
    """Return a rendered template.

    Raises:
        ConfigError: the template is broken; the message names file and line.
    """
    from jinja2 import DictLoader, StrictUndefined, TemplateError
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader({key: value.decode() for key, value in templates.items()}),
        undefined=StrictUndefined,
        autoescape=lambda template: template is not None and template.endswith(_MARKUP),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value, keep="\n\t") if type(value) is str else value,
    )
    environment.filters |= {"md": markdown, "code": code}
    try:
        return environment.get_template(name).render(context)
    except (TemplateError, SecurityError, ArithmeticError, LookupError, TypeError) as error:
        line = f":{error.lineno}" if hasattr(error, "lineno") else ""
        raise ConfigError(f"template {name}{line}: {error}") from None
