"""Reproducibility: a record of the run with the versions of code and environment."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.handing import callers
from audit.practices.origins import of_topic
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site


@practice("repro-run-record", looks_for="versions or a commit written with a run's configuration")
def repro_run_record(repo: Repository) -> Iterator[Place]:
    """A run records its configuration together with code and environment versions.

    A version or commit that goes into a file, log, saved configuration or tracker, and not
    only to the terminal.

    Why:
        Six months later nobody knows which code made the number in the table.
    Fix:
        Write configuration, git commit and package versions beside the checkpoint.
    Good:
        import json
        import torch

        def record(config, path):
            with open(path, "w") as file:
                json.dump({"config": config, "torch": torch.__version__}, file)
    Bad:
        import torch

        def environment():
            print({"torch": torch.__version__})
    Limits:
        That configuration and versions end in the same place is believed, not proved.
    Drop-in: codex_ml.training.environment.environment
    """
    yield from _recorded_values(repo)
    for site, value in repo.given("save_code"):
        if value == "True":
            yield at(site, "the tracker keeps the code of the run with its configuration")
    for site, value in repo.given("type"):
        if site.method == "Artifact" and value == "'code'":
            yield at(site, "the tracker keeps the code of the run")
    for site in repo.methods("log_code"):
        yield at(site, "the tracker keeps the code of the run")
    yield from of_topic(repo, "run-recorders", "{} records configuration and environment")
    commits = [site.node for site in repo.calls(*_COMMANDS) if _asks_git(site)]
    commits += [site.node for site in repo.calls(*_ENVIRONMENTS)]
    commits += [site.node for site in repo.calls("git.Repo", "git.repo.Repo")]
    commits += [site.node for site in _through_helpers(repo)]
    for one in sorted(repo.graph.within(commits, 1, up=True)) if commits else ():
        module, definition = repo.program.owner[one], repo.program.definition(one)
        if any(map(_REVISION.search, definition.returns)):
            says = "the git commit becomes part of a record"
            yield in_code(module, one - module.first, definition.line, says)
    near = repo.graph.within(commits, 2, up=True)
    shown = {(one.node, one.line) for one in repo.calls("builtins.print") if _prints_json(one)}
    for site in (*repo.calls(*_SINKS), *repo.methods(*_WRITES)):
        if (site.node, site.line) in shown:
            continue
        if any(map(_VERSION.search, site.arguments())):
            yield at(site, "a version is recorded")
        elif site.node in near and "%" not in site.names[0]:
            yield at(site, "the git commit is recorded")


def _prints_json(site: Site) -> bool:
    return any("json.dumps()" in one for one in site.call.args)


def _through_helpers(repo: Repository) -> Iterator[Site]:
    """Yield calls that ask for the commit through an own function that runs git."""
    for site in repo.calls(*_COMMANDS):
        if site.call.scope and not _asks_git(site):
            for caller in callers(repo, site.module, site.call.scope):
                if _names_commit(" ".join((*site.arguments(), *caller.arguments()))):
                    yield caller


_REVISION: Final = re.compile(r"'(git_?)?(commit|revision|sha|rev)(_(hash|id|sha))?': ")


def _asks_git(site: Site) -> bool:
    return _names_commit(" ".join(site.arguments()))


def _names_commit(words: str) -> bool:
    return "git" in words and any(one in words for one in ("rev-parse", "describe", "git log "))


_ENVIRONMENTS: Final = (
    "mmengine.utils.dl_utils.collect_env", "mmcv.utils.collect_env",
    "detectron2.utils.env.collect_env_info", "detectron2.utils.collect_env.collect_env_info",
)  # fmt: skip
_COMMANDS: Final = (
    "subprocess.check_output", "subprocess.run", "subprocess.Popen", "subprocess.getoutput",
    "os.popen",
)  # fmt: skip
_WRITES: Final = ("info", "write", "write_text", "writestr", "update", "log_params", "set_tag")
_SINKS: Final = ("json.dump", "json.dumps", "yaml.dump", "yaml.safe_dump", "torch.save")
_VERSION: Final = re.compile(
    r"\.__version__\b|:__version__|importlib\.metadata\.version\(|collect_env|git\.Repo\(|"
    r"'rev-parse|git_(hash|commit|sha)|git\.Repo\(\)\.|rev_parse|hexsha|get_env|system_info|_version\(\)|collect_env_info|"
    r"'(git|git_?(info|hash|sha|commit|rev\w*|version|state)|commit(_(hash|id|sha))?|\w+_sha)': [^'\d]"
)


def _recorded_values(repo: Repository) -> Iterator[Place]:
    """Yield versions that become part of a mapping or of an object's state."""
    for module, one in repo.assigns(r"\['[^']*'\]$|^self\.\w*(version|commit|sha|hash)$"):
        shown = _REPORT.search(module.path)
        if not shown and _VERSION.search(one.value) and not re.search(r"[<>=]= ", one.value):
            yield in_code(module, one.scope, one.line, "a version is recorded")
    for module, place, definition in repo.functions(_COPIES_CODE):
        if any(site.method in _COPIES for site in repo.calls_in(module, place)):
            yield in_code(module, place, definition.line, "the code is copied beside the run")


_REPORT: Final = re.compile(r"(^|/)(info|env|(collect|print)_env(_info)?|env_info)\.py$")
"""Modules that only tell what is installed."""
_COPIES: Final = ("copytree", "copy", "copy2", "copyfile", "make_archive", "ZipFile")
_COPIES_CODE: Final = (
    r"^_?(copy|save|backup|snapshot|archive)_(\w+_)?(code|codebase|source_code|src)$"
)
