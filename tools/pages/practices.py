"""A page for each practice, and the catalogue."""

from collections.abc import Iterator
from itertools import groupby

from audit.practices import registry
from pages.markup import page, table


def pages() -> Iterator[tuple[str, str]]:
    """Yield the pages."""
    for one in registry.practices():
        yield f"practices/{one.id}.md", practice(one)
    yield "practices/index.md", catalogue()


def practice(one: registry.Practice) -> str:
    """Return the page of a practice."""
    prose = one.prose
    fence = "```python" if one.code else "```text"
    return page(
        prose.title,
        f"`{one.id}` is a {one.role} practice of [{one.capability}](index.md#{one.capability}).",
        prose.what,
        f"## Why it matters\n\n{prose.why}",
        f"## How it is decided\n\n**Present if:** {one.present_if}\n\n**Not enough:** {one.not_if}\n\n"
        f"Searched: {one.looks_for}.",
        f"## How to fix it\n\n{prose.fix}",
        f"**Drop-in:** `{prose.drop_in}`" if prose.drop_in else "",
        f"## Good\n\n{fence}\n{prose.good}\n```",
        f"## Not enough\n\n{fence}\n{prose.bad}\n```",
        f"## Known limits\n\n{prose.limits}" if prose.limits else "",
        "## Doing without\n\nA practice that does not fit a repository leaves the score, for a reason:\n\n"
        f'```toml\n[tool.codex-audit.not_applicable]\n{one.id} = "the reason, for whoever reads the report"\n```',
    )


def catalogue() -> str:
    """Return the list of all practices by capability."""
    parts = ["What the audit decides, capability by capability."]
    for capability, practices in groupby(registry.practices(), lambda one: one.capability):
        rows = [(f"[{one.prose.title}]({one.id}.md)", one.role, f"`{one.id}`") for one in practices]
        parts.append(f"## {capability}\n\n{table(('practice', 'role', 'id'), rows)}")
    return page("Practices", *parts)
