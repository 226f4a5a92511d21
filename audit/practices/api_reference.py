"""Documentation: an API reference that docstrings write."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, Directive, ProseFacts, PythonFacts, ScriptFacts
from audit.practices import pipelines, settings
from audit.practices.documentation import OUTSIDE, sphinx
from audit.practices.registry import Place, in_file, of_key, practice
from audit.repository import Repository
from audit.sites import File

# --------------------------------------------------------------------- API reference
_AUTODOC: Final = re.compile(
    r"^(auto(module|class|function|method|data|attribute|exception|decorator|summary|property)"
    r"|autodoc|autodoc2-\w+|autoapi\w*|autopydantic_\w+|doxygen\w+|automodapi|automod-diagram)$"
)
_IN_FENCE: Final = re.compile(
    r"^\s*(?:\.\.|[`:]{3,}\{)\s*(auto\w+|autodoc2-\w+)(?:::|\})", re.MULTILINE
)
# Plugins of mkdocs that need no page which names an object.
_GENERATORS: Final = frozenset({"api-autonav", "mkapi", "mkdocs-autoapi"})
_PLUGIN: Final = re.compile(r"^plugins(?:\[\d+\])?(?:\.([\w-]+))?$")
_API_COMMANDS: Final = (
    "pdoc",
    "pdoc3",
    "sphinx-apidoc",
    "sphinx-autogen",
    "lazydocs",
    "quartodoc build",
    "quartodoc",
    "nbdev_docs",
    "pydoc-markdown",
)


# What a script of the maintainers reads docstrings with to write pages.
_READERS: Final = frozenset(
    {
        "griffe.load",
        "pydoc_markdown.PydocMarkdown",
        "mkdocs_gen_files.open",
        "keras_autodoc.DocumentationGenerator",
        "griffe.GriffeLoader",
        "pdoc.pdoc",
        "pdoc.render.configure",
        "lazydocs.generate_docs",
        "sphinx.ext.apidoc.main",
        "sphinx.apidoc.main",
    }
)


@practice(
    "docs-api-reference",
    looks_for="autodoc directives, mkdocstrings identifiers, [[autodoc]], pdoc, griffe, sphinx-apidoc",
    code=False,
)
def docs_api_reference(repo: Repository) -> Iterator[Place]:
    """The API reference is generated from docstrings.

    Why:
        A reference written by hand is wrong at the first rename.
    Fix:
        Put ``::: package.module`` (mkdocstrings) or ``.. automodule::`` on a reference page.
    Good:
        # file: docs/api.md
        # API

        ::: package.train
    Bad:
        # file: docs/api.md
        # API

        ## package.train

        Trains a model.
    """
    pages = list(_reference_pages(repo))
    if pages:
        for file in sphinx(repo):
            assert isinstance(file.facts, PythonFacts)
            for one in file.facts.assigns:
                if one.target == ":extensions":
                    yield in_file(file, one.line, "Sphinx extensions", "extensions")
        for file, key in repo.keys_of("mkdocs.yml", "mkdocs.yaml"):
            found = _PLUGIN.match(key.path)
            if found and "mkdocstrings" in (found[1], key.value):
                yield of_key(file, key, "mkdocstrings")
    yield from pages
    yield from _generators(repo)
    for step in pipelines.running(repo, *_API_COMMANDS):
        yield step.place(f"CI generates the reference: {step.text[:60]}")
    for file, key in settings.section(repo, "quartodoc", "_quarto.yml"):
        yield of_key(file, key, "quartodoc generates the reference")


def _generators(repo: Repository) -> Iterator[Place]:
    """Yield the settings of what writes a reference of whole packages, without a page each."""
    for file, key in repo.keys_of("mkdocs.yml", "mkdocs.yaml"):
        found = _PLUGIN.match(key.path)
        name = (found[1] or key.value) if found else ""
        if name in _GENERATORS and file.role not in OUTSIDE:
            yield of_key(file, key, f"{name} generates the reference")
        if name == "gen-files" and "mkdocstrings" in _plugins(file):
            yield of_key(file, key, "a script generates the pages of mkdocstrings")
    yield from _configured(repo)
    yield from _scripted(repo)


def _configured(repo: Repository) -> Iterator[Place]:
    """Yield the settings of programs that write a reference, Sphinx's among them."""
    for file, key in repo.keys_of("pydoc-markdown.yml", "pydoc-markdown.yaml"):
        if key.value:
            yield of_key(file, key, "pydoc-markdown generates the reference")
            break
    for file, key in repo.keys_of("settings.ini"):
        if key.path.endswith("nbs_path") and key.value:
            yield of_key(file, key, "nbdev generates the reference")
    for file in sphinx(repo):
        assert isinstance(file.facts, PythonFacts)
        for one in file.facts.assigns:
            if one.target in (":autoapi_dirs", ":autodoc2_packages") and len(one.value) > 2:
                yield in_file(
                    file, one.line, f"{one.target[1:]} = {one.value[:50]}", one.target[1:]
                )


def _scripted(repo: Repository) -> Iterator[Place]:
    """Yield where a recipe or a script of the docs reads docstrings to write pages."""
    for file in repo.named("makefile"):
        for line in file.facts.commands if isinstance(file.facts, ScriptFacts) else ():
            if "sphinx-apidoc" in line.text:
                yield in_file(file, line.line, f"generates the reference: {line.text[:60]}")
    for module in repo.program.modules:
        if module.role in ("build", "docs"):
            for call in module.facts.calls:
                if not _READERS.isdisjoint(call.names):
                    says = f"{call.names[0]} reads the docstrings for the pages"
                    yield Place(module.path, call.line, says, -1, module.dotted)


def _plugins(file: File) -> set[str]:
    """Return the plugins of a mkdocs.yml."""
    keys = file.facts.keys if isinstance(file.facts, DataFacts) else ()
    found = ((key, _PLUGIN.match(key.path)) for key in keys)
    return {one[1] or key.value for key, one in found if one}


def _reference_pages(repo: Repository) -> Iterator[Place]:
    """Yield the first generated entry of every page that has one, those with most entries first."""
    found = [
        (-sum(map(_is_entry, file.facts.directives)), file.path, file)
        for file in repo.files.values()
        if isinstance(file.facts, ProseFacts) and file.role not in OUTSIDE
    ]
    for _, _, file in sorted(found, key=lambda row: row[:2]):
        if isinstance(file.facts, ProseFacts):
            for one in file.facts.directives:
                if _is_entry(one):
                    yield in_file(file, one.line, f"{one.name} {one.argument}"[:80], one.argument)
                    break
            else:
                for fence in file.facts.fences:
                    inner = _IN_FENCE.search(fence.text) or _IN_FENCE.search(f"```{fence.info}")
                    if inner:
                        yield in_file(file, fence.line, f"{inner[1]} block")
                        break


def _is_entry(one: Directive) -> bool:
    """Tell whether a directive documents an object; those of templates name a variable."""
    named = one.name == "autosummary" or (bool(one.argument) and "{" not in one.argument)
    return named and bool(_AUTODOC.match(one.name))
