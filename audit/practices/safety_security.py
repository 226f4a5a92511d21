"""Safety and security: policy, updates, scans, deserialization, pinned and restrained workflows."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, Key
from audit.practices import pipelines, runs, settings
from audit.practices.registry import Place, at, in_file, of_key, practice
from audit.repository import File, Repository, Site

_POLICY_FOLDERS: Final = ("", ".github", "docs", "doc", "docs/source")


@practice("security-policy", looks_for="a SECURITY file in the root, .github/ or docs/", code=False)
def security_policy(repo: Repository) -> Iterator[Place]:
    """A security policy says how to report a vulnerability.

    Why:
        Who finds a hole needs a private way to say so; without one it lands in a public issue.
    Fix:
        Add ``SECURITY.md`` with a contact, the supported versions and what to expect.
    Good:
        # file: SECURITY.md
        # Security policy

        Report vulnerabilities privately to security@example.org; we answer within three days
        and publish an advisory with the fix.
    Bad:
        # file: SECURITY.md
        # Security
        # file: README.md
        # Package

        Report security problems by mail to security@example.org, please, and not as an issue.
    """
    for file in repo.by_stem("security"):
        folder = file.path.rpartition("/")[0].lower()
        if folder in _POLICY_FOLDERS and file.body_words > 0:
            yield in_file(file, 1, "the security policy")


# ------------------------------------------------------------------------ updates
_AUDIT_COMMANDS: Final = (
    "pip-audit", "safety check", "safety scan", "safety ci", "osv-scanner", "renovate", "snyk test",
    "snyk monitor", "trivy", "grype", "uv audit",
)  # fmt: skip
_AUDIT_ACTIONS: Final = (
    "pypa/gh-action-pip-audit", "google/osv-scanner-action", "actions/dependency-review-action",
    "renovatebot/", "pyupio/", "snyk/", "aquasecurity/trivy-action", "anchore/scan-action",
)  # fmt: skip
_RENOVATE: Final = ("renovate.json", ".renovaterc", ".renovaterc.json")


@practice(
    "security-dependency-updates",
    looks_for="dependabot, renovate, pip-audit, safety, osv-scanner",
    code=False,
)
def security_dependency_updates(repo: Repository) -> Iterator[Place]:
    """Dependencies are updated or scanned by a machine.

    Why:
        A known hole in a dependency is yours until you take the fix, and nobody reads every advisory.
    Fix:
        Add ``.github/dependabot.yml`` for ``pip`` (or ``uv``) and ``github-actions``.
    Good:
        # file: .github/dependabot.yml
        version: 2
        updates:
          - package-ecosystem: pip
            directory: /
            schedule:
              interval: weekly
    Bad:
        # file: .github/dependabot.yml
        version: 2
        updates: []
    Limits:
        Updates that are switched on in the hosting service alone cannot be seen.
    """
    for file, key in repo.keys_of("dependabot.yml", "dependabot.yaml"):
        if file.path.startswith(".github/") and key.path.endswith(".package-ecosystem"):
            yield of_key(file, key, f"dependabot watches {key.value}")
    for file, key in repo.keys_of(*_RENOVATE):
        if file.path.count("/") <= 1 and key.value and key.path != "$schema":
            yield of_key(file, key, "renovate is configured")
    for file in repo.named("renovate.json5"):
        if file.words > 2:
            yield in_file(file, 1, "renovate is configured")
    for step in (
        *pipelines.running(repo, *_AUDIT_COMMANDS),
        *pipelines.using(repo, *_AUDIT_ACTIONS),
    ):
        yield step.place(f"CI scans dependencies: {step.text[:60]}")
    found = settings.hooks(repo, "pip-audit", "python-safety-dependencies-check", "osv-scanner")
    yield from settings.places(found, "pre-commit scans dependencies")


# ---------------------------------------------------------------------- scanning
_SCAN_COMMANDS: Final = (
    "bandit", "semgrep", "gitleaks", "trufflehog", "detect-secrets", "detect-secrets-hook", "zizmor",
    "codeql", "ggshield", "poutine", "checkov", "hadolint-sarif",
)  # fmt: skip
_SCAN_ACTIONS: Final = (
    "github/codeql-action", "trufflesecurity/trufflehog", "gitleaks/gitleaks-action", "semgrep/",
    "returntocorp/semgrep-action", "pycqa/bandit-action", "zizmorcore/", "woodruffw/zizmor",
    "ossf/scorecard-action", "gitguardian/", "boostsecurityio/", "mdegis/bandit-action",
    "huggingface/security-workflows", "step-security/harden-runner", "shundor/python-bandit-scan",
    "jpetrucciani/bandit-check", "checkmarx/", "sonarsource/",
)  # fmt: skip
_SCAN_HOOKS: Final = (
    "bandit", "detect-private-key", "detect-secrets", "gitleaks", "gitleaks-docker", "trufflehog",
    "semgrep", "zizmor", "ggshield", "ripsecrets", "detect-aws-credentials",
)  # fmt: skip
_SECURITY_RULE: Final = re.compile(r"^(S\d{0,3}|ALL)$")


@practice(
    "security-code-scanning",
    looks_for="CodeQL, bandit, ruff S rules, semgrep, gitleaks, trufflehog, detect-secrets, zizmor",
    code=False,
)
def security_code_scanning(repo: Repository) -> Iterator[Place]:
    """Code, secrets or workflows are scanned for security problems.

    Why:
        A key that is pushed is public for good, and an injection in a workflow is remote code
        execution with your tokens: both are found by a scan before the merge.
    Fix:
        Select ruff's ``S`` rules, and add the ``gitleaks`` and ``zizmor`` hooks or workflows.
    Good:
        # file: .github/workflows/secrets.yml
        on: [push]
        jobs:
          scan:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - uses: trufflesecurity/trufflehog@main
    Bad:
        # file: pyproject.toml
        [tool.ruff.lint]
        select = ["E", "F", "SIM"]
    """
    for step in (
        *pipelines.using(repo, *_SCAN_ACTIONS),
        *pipelines.running(repo, *_SCAN_COMMANDS),
    ):
        yield step.place(f"CI scans: {step.text[:60]}")
    yield from settings.places(settings.hooks(repo, *_SCAN_HOOKS), "pre-commit scans")
    for prefix, names in (
        ("tool.ruff", ("pyproject.toml",)),
        ("", ("ruff.toml", ".ruff.toml")),
    ):
        for file in settings.own(repo, *names):
            yield from _security_rules(file, prefix)


def _security_rules(file: File, prefix: str) -> Iterator[Place]:
    """Yield the keys that select ruff's security rules and are not ignored again."""
    keys = list(settings.leaves(file, prefix))
    ignored = {key.value for key in keys if re.search(r"(^|\.)(extend-)?ignore\[\d+\]$", key.path)}
    for key in keys:
        if (
            re.search(r"(^|\.)(extend-)?select\[\d+\]$", key.path)
            and _SECURITY_RULE.match(key.value)
            and "S" not in ignored
        ):
            yield of_key(file, key, f"ruff's security rules are selected ({key.value})")


# --------------------------------------------------------------- deserialization
_SAFE_YAML: Final = re.compile(r"(Safe|Base)Loader|safe", re.IGNORECASE)
_UNPICKLERS: Final = (
    *(f"{one}.load" for one in ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib")),
    "pandas.read_pickle", "pickle.Unpickler().load", "dill.Unpickler().load", "shelve.open",
)  # fmt: skip
_FROM_BYTES: Final = ("pickle.loads", "dill.loads", "cloudpickle.loads")
_FILE_BYTES: Final = re.compile(r"open\(\)|\.read\(|read_bytes\(|\.load\(|\.get\(\)|\.download")
_SAFE_LOADS: Final = (
    "json.load", "json.loads", "yaml.safe_load", "yaml.safe_load_all", "tomllib.load", "toml.load",
    "safetensors.torch.load_file", "safetensors.safe_open", "safetensors.torch.load",
    "safetensors.numpy.load_file", "msgpack.unpackb", "orjson.loads", "numpy.load", "yaml.load",
    "torch.load", "torch.hub.load_state_dict_from_url", "torch.distributed.checkpoint.load",
    "csv.reader", "pandas.read_csv", "pandas.read_json", "pandas.read_parquet", "tomli.load",
    "tomllib.loads", "tomli.loads", "pyarrow.parquet.read_table", "datasets.load_dataset",
)  # fmt: skip


@practice(
    "security-no-unsafe-deserialization",
    looks_for="product code that loads data, and never by pickle, torch.load or yaml.load unsafely",
)
def security_no_unsafe_deserialization(repo: Repository) -> Iterator[Place]:
    """Nothing that product code reads can run code.

    Decided over all product code: one pickle load of a file, one ``torch.load`` without
    ``weights_only=True`` or one ``yaml.load`` without a safe loader makes it absent. The
    evidence is where data is loaded safely.

    Why:
        A pickle is a program. Whoever can replace a checkpoint or cache file runs code as you.
    Fix:
        Load weights from safetensors or with ``torch.load(..., weights_only=True)``, YAML with
        ``yaml.safe_load``, and keep caches in JSON, Arrow or NumPy files.
    Good:
        import torch
        import yaml

        def load(model, path, config):
            model.load_state_dict(torch.load(path, weights_only=True))
            return yaml.safe_load(config.read_text())
    Bad:
        import torch

        def load(model, path):
            model.load_state_dict(torch.load(path, map_location="cpu"))
    Limits:
        Bytes that are unpickled count where they visibly come from a file; what other libraries
        do inside their loaders is not followed.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    if any(True for _ in unsafe_loads(repo)):
        return
    for site in repo.calls(*_SAFE_LOADS):
        yield at(site, f"{site.names[0]} reads data without running code")
    for site in repo.methods("from_pretrained"):
        yield at(site, "weights come through a library's loader")


def unsafe_loads(repo: Repository) -> Iterator[Place]:
    """Yield the product calls that may run code from what they read."""
    for site in repo.calls(*_UNPICKLERS):
        yield at(site, f"{site.names[0]} runs what the file says")
    for site in repo.calls(*_FROM_BYTES):
        if any(_FILE_BYTES.search(one) for one in site.call.args):
            yield at(site, f"{site.names[0]} of bytes from a file")
    for site in repo.calls("torch.load"):
        if _is_unsafe_torch(site):
            yield at(site, "torch.load that accepts any pickle")
    for site in repo.calls("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load"):
        if not _has_safe_loader(repo, site):
            yield at(site, f"{site.names[0]} without a safe loader")


def _is_unsafe_torch(site: Site) -> bool:
    """Tell whether weights_only is missing or false; other values and ``**kwargs`` may be true."""
    given = site.call.keyword("weights_only")
    if given is None:
        return site.call.keyword("**") is None
    return given == "False"


def _has_safe_loader(repo: Repository, site: Site) -> bool:
    if site.names[0].endswith(("unsafe_load", "full_load")):
        return False
    loader = site.call.keyword("Loader") or (site.call.args[1] if len(site.call.args) > 1 else "")
    if _SAFE_YAML.search(loader):
        return True
    node = repo.program.resolve(site.module, loader.partition(" | ")[0])[1] if loader else -1
    return node >= 0 and any(_SAFE_YAML.search(one) for one in repo.program.ancestry(node))


# ------------------------------------------------------------------------ actions
_HASH: Final = re.compile(r"@(sha256:)?[0-9a-f]{40,64}$")
_OURS: Final = ("actions/", "github/", "./", "../")


@practice(
    "security-pinned-actions",
    looks_for="GitHub workflows whose third-party actions are all pinned to a commit hash",
    code=False,
)
def security_pinned_actions(repo: Repository) -> Iterator[Place]:
    """Third-party actions are pinned to a full commit hash.

    Why:
        A tag can be moved to other code at any time; the action then runs with your tokens.
    Fix:
        Write ``uses: owner/action@<40 hex digits>  # v1.2.3`` and let dependabot move it.
    Good:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - uses: astral-sh/setup-uv@e92bafb6253dcd438e0484186d7669ea7a8ca1cc
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: astral-sh/setup-uv@v7
    Limits:
        Actions of the organisations ``actions`` and ``github`` are trusted with tags.
    """
    used = [
        (file, key)
        for file, keys in pipelines.workflows(repo)
        for key in keys
        if key.path.endswith(".uses") and key.value
    ]
    foreign = [row for row in used if not row[1].value.lower().startswith(_OURS)]
    if all(_HASH.search(key.value.strip()) for _, key in foreign):
        for file, key in foreign or used:
            yield of_key(file, key, f"uses {key.value[:80]}")


@practice(
    "security-workflow-permissions",
    looks_for="GitHub workflows that all declare permissions, at the top or in every job",
    code=False,
)
def security_workflow_permissions(repo: Repository) -> Iterator[Place]:
    """Every workflow says which permissions its token has.

    Why:
        The default token may write to the repository: a compromised step then owns it.
    Fix:
        Put ``permissions: {contents: read}`` at the top of every workflow and widen it in the job
        that needs more.
    Good:
        # file: .github/workflows/ci.yml
        on: [push]
        permissions:
          contents: read
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            permissions:
              contents: read
            steps:
              - run: pytest
          lint:
            runs-on: ubuntu-latest
            steps:
              - run: ruff check .
    """
    unread = any(
        file.path.startswith(".github/workflows/") and not isinstance(file.facts, DataFacts)
        for file in repo.ci
    )
    granted = [(file, _permissions(keys)) for file, keys in pipelines.workflows(repo)]
    tested = [step.file.path for step in runs.test_steps(repo)]
    granted.sort(
        key=lambda row: tested.index(row[0].path) if row[0].path in tested else len(tested)
    )
    if not unread and all(key is not None for _, key in granted):
        for file, key in granted:
            assert key is not None
            yield of_key(file, key, "declares the permissions of its token")


def _permissions(keys: tuple[Key, ...]) -> Key | None:
    """Return the key that gives a workflow its permissions; None where a job has none."""
    paths = {key.path: key for key in keys}
    if "permissions" in paths:
        return paths["permissions"]
    jobs = dict.fromkeys(path.split(".")[1] for path in paths if re.match(r"^jobs\.[^.]+\.", path))
    found = [paths.get(f"jobs.{job}.permissions") for job in jobs]
    return found[0] if found and None not in found else None
