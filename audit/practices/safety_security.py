"""Safety and security: policy, dependency updates, code scanning."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices import pipelines, settings
from audit.practices.registry import Place, in_file, of_key, practice
from audit.repository import Repository
from audit.sites import File

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
    "snyk monitor", "trivy", "grype", "uv audit", "uv-secure",
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
        if file.path.startswith(".github/") and key.path.endswith("-ecosystem") and key.value:
            yield of_key(file, key, f"dependabot watches {key.value}")
    for file, key in repo.keys_of(*_RENOVATE):
        if file.path.count("/") <= 1 and key.value and key.path != "$schema":
            yield of_key(file, key, "renovate is configured")
    for file in repo.named("renovate.json5"):
        if file.words > 2:
            yield in_file(file, 1, "renovate is configured")
    for file in repo.named(".snyk"):
        yield in_file(file, 1, "snyk is configured")
    yield from _templates(repo, "Dependency-Scanning", "GitLab scans dependencies")
    for file, key in repo.keys_of(".pyup.yml"):
        if key.value and "/" not in file.path:
            yield of_key(file, key, "pyup is configured")
            break
    for step in (
        *pipelines.running(repo, *_AUDIT_COMMANDS),
        *pipelines.using(repo, *_AUDIT_ACTIONS),
    ):
        yield step.place(f"CI scans dependencies: {step.text[:60]}")
    found = settings.hooks(repo, "pip-audit", "python-safety-dependencies-check", "osv-scanner")
    yield from settings.places(found, "pre-commit scans dependencies")


def _templates(repo: Repository, pattern: str, says: str) -> Iterator[Place]:
    """Yield the security templates that a pipeline of GitLab includes."""
    for file, key in repo.keys_of(".gitlab-ci.yml"):
        if key.path.startswith("include") and re.search(pattern, key.value):
            yield of_key(file, key, says)


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
    "jpetrucciani/bandit-check", "checkmarx/", "sonarsource/", "codacy/codacy-analysis", "microsoft/security-devops-action",
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
        *pipelines.reusing(repo, r"codeql|secret|security|bandit|semgrep|zizmor|scorecard|sast"),
    ):
        yield step.place(f"CI scans: {step.text[:60]}")
    yield from settings.places(settings.hooks(repo, *_SCAN_HOOKS), "pre-commit scans")
    yield from _templates(repo, r"SAST|Secret-Detection", "GitLab scans")
    for file in settings.own(repo, *settings.HOOK_FILES):
        for key in settings.leaves(file, "repos"):
            if key.value.partition("=")[0] == "flake8-bandit":
                yield of_key(file, key, "flake8 runs bandit's rules")
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
