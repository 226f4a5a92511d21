"""Configuration: values that are rejected."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Raise
from audit.practices.libraries import named
from audit.practices.origins import by_file, receivers
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site, blocks_from

_VALIDATOR: Final = re.compile(
    r"validator$|validates$|field_validator|model_validator|root_validator"
)


_USAGE: Final = re.compile(
    r"(BadParameter|UsageError|BadOptionUsage|ArgumentTypeError|ArgumentError)$"
)
_FIELD: Final = re.compile(r"^(pydantic|attrs?|msgspec)\b")
_MESSAGES: Final = frozenset({"print", "error", "critical", "warning", "info", "echo", "secho"})
_CHECKS: Final = re.compile(r"valid|check|verify|assert|sanit")


_OF_CONFIG: Final = re.compile(
    r"Config|Cfg|Arguments|Options|Settings|"
    r"(?<![a-z])(config|cfg|args|arguments|options|settings|h?params|hyperparameters)(?![a-z])"
)


_SETTING: Final = re.compile(
    r"(?<![a-z])(args|opts?|options|config|cfg|conf|hparams|settings|flags)(\.|\[)|parse_args\(\)|"
    r"sys\.argv|builtins\.globals\(\)|(yaml|tomli?|tomllib)\.\w*load\(\)|omegaconf\.",
    re.IGNORECASE,
)


@practice("config-validation", looks_for="configuration values that are rejected with a message")
def config_validation(repo: Repository) -> Iterator[Place]:
    """Wrong configuration is rejected with a message.

    Why:
        A wrong value that is found at start costs a second; found after a day it costs a day.
    Fix:
        Check in ``__post_init__`` and raise ``ValueError`` that names value and cure.
    Good:
        from dataclasses import dataclass
        @dataclass
        class TrainConfig:
            lr: float = 1e-3
            def __post_init__(self):
                if self.lr <= 0:
                    raise ValueError(f"lr must be positive, got {self.lr}")
    Bad:
        def fit(config):
            assert config.lr > 0
            raise NotImplementedError
    """
    tiers: tuple[list[Place], ...] = ([], [], [])
    for module in repo.product:
        for one in module.facts.raises:
            tier = _tier(module, one) if one.message and one.block >= 0 else None
            if tier is not None:
                tiers[tier].append(in_code(module, one.scope, one.line, "a bad value is rejected"))
    errors = [site for site in repo.methods("error") if _is_parser(site)]
    tiers[0].extend(at(site, "bad options are rejected") for site in (*errors, *_checks(repo)))
    tiers[2].extend(at(site, "the run ends with a message") for site in _exits(repo))
    for places in tiers:
        yield from by_file(repo, places)


def _checks(repo: Repository) -> Iterator[Site]:
    """Yield the checks that a library of settings makes: of flags, of fields of a configuration."""
    yield from repo.calls(*named("option-validators"))
    for site, _ in repo.given("validator", "gt", "ge", "lt", "le", "multiple_of"):
        if _FIELD.match(site.names[0]) and _OF_CONFIG.search(site.scope.name):
            yield site
    for site in repo.calls(*named("schema-validators")):
        about = " ".join((site.scope.name, *site.scope.params, *site.arguments()))
        if _OF_CONFIG.search(about) or _SETTING.search(about):
            yield site
    for site in repo.calls("omegaconf.OmegaConf.missing_keys"):
        yield site


def _exits(repo: Repository) -> Iterator[Site]:
    """Yield exits where settings are wrong, with a message or after one."""
    for site in repo.calls("sys.exit", "builtins.exit", "builtins.SystemExit"):
        if site.call.args[:1] == ("0",):
            continue
        if any(one.kind == "if" and _SETTING.search(one.text) for one in site.blocks()):
            beside = repo.by_scope.get(site.node, ())
            says = any(
                one.call.block == site.call.block and one.method in _MESSAGES for one in beside
            )
            if says or site.call.args[:1] not in ((), ("1",), ("2",), ("-1",)):
                yield site


def _is_parser(site: Site) -> bool:
    return any("ArgumentParser" in one or "argparse" in one for one in receivers(site))


def _tier(module: Module, one: Raise) -> int | None:
    """Rank a rejection: in a configuration's own checks, in a constructor, elsewhere by value."""
    definitions = module.facts.definitions
    scope = definitions[one.scope]
    own = scope.name.rpartition(".")[2]
    validates = any(_VALIDATOR.search(d) for d in scope.decorators)
    if own in ("__post_init__", "__attrs_post_init__") or validates or _USAGE.search(one.name):
        return 0
    texts = " ".join(block.text for block in blocks_from(module, one.block) if block.kind != "try")
    about = " ".join((own, *scope.params))
    if _OF_CONFIG.search(definitions[max(scope.parent, 0)].name) or (
        _CHECKS.search(own) and _OF_CONFIG.search(about)
    ):
        return 0
    if own == "__init__" and re.search(r"@\w", texts):
        return 1
    return 2 if _SETTING.search(texts) or (scope.kind == "module" and ":" in texts) else None
