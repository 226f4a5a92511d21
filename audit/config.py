"""``[tool.codex-audit]`` of pyproject.toml, or ``codex-audit.toml``: typed, checked, hashed."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from audit import queries
from audit.errors import ConfigError
from audit.files import read_bytes
from audit.model import COMPONENTS, Role, Rule, Waiver
from audit.practices.catalogue import ID, built_in

FILE: Final = "codex-audit.toml"
TABLE: Final = "tool.codex-audit"
DEFAULT_WEIGHTS: Final = {
    "functionality": 0.25,
    "consistency": 0.20,
    "tests": 0.25,
    "safeguards": 0.15,
    "documentation": 0.15,
}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a team decides about its audit."""

    profile: str = ""
    """Overrides the profile that the evidence suggests."""
    weights: dict[str, float] = msgspec.field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    caps: dict[str, float] = msgspec.field(default_factory=dict)
    """The most that a component can contribute, 0 to 1."""
    thresholds: dict[str, float] = msgspec.field(default_factory=dict)
    """What the gate asks for: ``mean``, ``minimum``, or a capability's own bar."""
    required: tuple[str, ...] = ()
    """Practices that the gate wants present."""
    not_applicable: dict[str, str] = msgspec.field(default_factory=dict)
    """Practice or capability → the reason why it leaves the denominator."""
    waivers: tuple[Waiver, ...] = ()
    """Practices that the gate goes without until a date."""
    baseline: str = ""
    """A written ``capability_matrix.json`` in the repository that the gate does not fall
    behind where no ``--base`` is given."""
    paths: dict[Role, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Role → globs of the files that play it, whatever their names suggest."""
    templates: str = ""
    """A folder of report templates that replace the built-in ones (needs ``--trust``)."""
    rules: tuple[Rule, ...] = ()
    """Practices of the team's own, each a query over facts."""

    def roles(self) -> dict[str, Role]:
        """Return glob → role."""
        return {pattern: role for role, patterns in self.paths.items() for pattern in patterns}

    def digest(self) -> str:
        """Return the SHA-256 of the configuration's meaning (not of its text)."""
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def load(files: Mapping[str, bytes], ids: frozenset[str], capabilities: frozenset[str]) -> Config:
    """Return the configuration in a source's files, or the default one.

    Args:
        files: ``codex-audit.toml`` and ``pyproject.toml``, where they are there.
        ids: every practice id; a key that names none is an error.
        capabilities: every capability id.

    Raises:
        ConfigError: malformed TOML, an unknown key, a value of the wrong type
            or out of range; the message names file, line and the nearest key.
    """
    for name in (FILE, "pyproject.toml"):
        if name in files:
            table, prefix = _table(name, files[name])
            if table is not None:
                place = _Place(name, prefix, files[name])
                config = _typed(table, place)
                _check(config, place, ids, capabilities)
                return config
    return Config()


def read(path: Path, ids: frozenset[str], capabilities: frozenset[str]) -> Config:
    """Return the configuration of a file that the user names.

    Raises:
        ConfigError: the file cannot be read, or as for `load`.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    name = "pyproject.toml" if path.name == "pyproject.toml" else FILE
    table, prefix = _table(name, content)
    if table is None:
        raise ConfigError(f"{path}: no [{TABLE}] table")
    place = _Place(str(path), prefix, content)
    config = _typed(table, place)
    _check(config, place, ids, capabilities)
    return config


def _table(name: str, content: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return the table that configures the audit and its prefix in the file."""
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        if name != FILE:
            return None, ""  # a broken pyproject.toml is a finding, not our configuration
        raise ConfigError(f"{name}: {error}") from None
    if name == FILE:
        return document, ""
    tool = document.get("tool")
    found = tool.get("codex-audit") if isinstance(tool, dict) else None
    return (found if isinstance(found, dict) else None), f"{TABLE}."


class _Place:
    """Where a key stands, for messages."""

    def __init__(self, name: str, prefix: str, content: bytes) -> None:
        from audit.facts import data  # the YAML parser comes with it

        self.name = name
        self.prefix = prefix
        self.lines = {key.path: key.line for key in data.toml(content).keys}

    def at(self, key: str) -> str:
        """Return ``file:line`` of a key of the table, the file alone where it is unknown."""
        line = self.lines.get(f"{self.prefix}{key}") or self.lines.get(self.prefix.rstrip("."))
        return f"{self.name}:{line}" if line else self.name


def nearest(word: str, known: Iterator[str] | frozenset[str] | tuple[str, ...]) -> str:
    """Return a hint at the known word that is most like one, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    sure = difflib.get_close_matches(word, close, n=1, cutoff=0.6)
    sure += [one for one in close if one[:2] == word[:2]]  # few mistype how a word begins
    return f": did you mean {sure[0]!r}?" if sure else ""


def _typed(table: dict[str, Any], place: _Place) -> Config:
    fields = Config.__struct_fields__
    for key in table:
        if key not in fields:
            raise ConfigError(f"{place.at(key)}: unknown key {key!r}{nearest(key, fields)}")
    for key, noun in (("waivers", "waiver"), ("rules", "rule")):
        for number, row in enumerate(table.get(key) or ()):
            if isinstance(row, dict):
                _check_row(row, noun, place, f"{key}[{number}]")
    try:
        return msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`").partition("[")[0]
        raise ConfigError(f"{place.at(key)}: {key or TABLE}: {message}") from None


_ROWS: Final[dict[str, type[Waiver | Rule]]] = {"waiver": Waiver, "rule": Rule}


def _check_row(row: dict[str, Any], noun: str, place: _Place, number: str) -> None:
    where, fields = place.at(number), msgspec.structs.fields(_ROWS[noun])
    names = tuple(one.name for one in fields)
    for key in row:
        if key not in names:
            at = place.at(f"{number}.{key}")
            raise ConfigError(f"{at}: unknown key {key!r} in a {noun}{nearest(key, names)}")
    for one in fields:
        if one.required and not str(row.get(one.name, "")).strip():
            raise ConfigError(f"{where}: a {noun} needs {one.name!r}")
    if noun == "rule" and not any(row.get(one.name) for one in fields if not one.required):
        queries = ", ".join(one.name for one in fields if not one.required)
        raise ConfigError(f"{where}: a rule needs one of {queries}")


def _check(
    config: Config, place: _Place, ids: frozenset[str], capabilities: frozenset[str]
) -> None:
    ids, capabilities = _with_rules(config, place, ids, capabilities)
    for key in ("weights", "caps"):
        for name, value in getattr(config, key).items():
            _known(
                name,
                frozenset(COMPONENTS),
                f"{place.at(f'{key}.{name}')}: {key}: unknown component",
            )
            if value < 0:
                raise ConfigError(f"{place.at(f'{key}.{name}')}: {key}.{name} is negative")
    if not sum(config.weights.values()) > 0:
        raise ConfigError(f"{place.at('weights')}: the weights are all zero")
    for name, value in config.thresholds.items():
        where = place.at(f"thresholds.{name}")
        _known(name, capabilities | {"mean", "minimum"}, f"{where}: thresholds: unknown capability")
        if not 0 <= value <= 1:
            raise ConfigError(f"{where}: thresholds.{name} is {value}, not from 0 to 1")
    for name in config.required:
        _known(name, ids, f"{place.at('required')}: required: unknown practice")
    for name, reason in config.not_applicable.items():
        where = place.at(f"not_applicable.{name}")
        _known(name, ids | capabilities, f"{where}: not_applicable: unknown practice or capability")
        if not reason.strip():
            raise ConfigError(f"{where}: not_applicable.{name} needs a reason")
    for number, waiver in enumerate(config.waivers):
        where = place.at(f"waivers[{number}]")
        _known(waiver.practice, ids, f"{where}: a waiver of an unknown practice")
    _agree(config, place)
    if config.profile:
        from audit.profiles import PROFILES

        _known(config.profile, frozenset(PROFILES), f"{place.at('profile')}: unknown profile")
    assert set(config.paths) <= set(get_args(Role))


def _with_rules(
    config: Config, place: _Place, ids: frozenset[str], capabilities: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids of practices and capabilities, those that the rules declare among them.

    Raises:
        ConfigError: an id is taken, or is none.
    """
    for number, rule in enumerate(config.rules):
        where = place.at(f"rules[{number}]")
        for word in (rule.id, rule.capability):
            if not ID.fullmatch(word):
                raise ConfigError(f"{where}: {word!r} is no id: lower-case words joined by '-'")
        if rule.id in ids:
            raise ConfigError(
                f"{where}: there is a practice {rule.id!r} already: choose another id"
            )
        _readable(rule, place, f"rules[{number}]")
        ids |= {rule.id}
        capabilities |= {rule.capability}
    return ids, capabilities


def _readable(rule: Rule, place: _Place, number: str) -> None:
    """Refuse texts that would break a line of a report, and queries that can find nothing."""
    for key, value in msgspec.structs.asdict(rule).items():
        where = f"{place.at(f'{number}.{key}')}: {key}"
        for text in value if isinstance(value, tuple) else (value,):
            line = " ".join(text.split()) if key in ("why", "fix") else text
            if not line.strip() or not line.isprintable():
                raise ConfigError(f"{where}: {text!r}: write one line of visible characters")
            if key in queries.KINDS and (cure := queries.cure(key, text)):
                raise ConfigError(f"{where}: {text!r} finds nothing: write {cure}")


def _agree(config: Config, place: _Place) -> None:
    """Refuse a policy that contradicts itself.

    Raises:
        ConfigError: it asks for what it says does not apply, or for more than the caps allow,
            or a waiver ends on no date.
    """
    capabilities = {one.id: one.capability for one in built_in()}
    without = config.not_applicable
    for name in config.required:
        if name in without or capabilities.get(name) in without:
            raise ConfigError(
                f"{place.at('required')}: {name!r} is required and not_applicable: choose one"
            )
    seen: set[str] = set()
    for number, waiver in enumerate(config.waivers):
        where, name = place.at(f"waivers[{number}]"), waiver.practice
        if name in without or capabilities.get(name) in without:
            raise ConfigError(f"{where}: {name!r} is waived and not_applicable: choose one")
        if name in seen:
            raise ConfigError(f"{where}: {name!r} is waived twice: keep one waiver")
        seen.add(name)
        try:
            date.fromisoformat(waiver.expires)
        except ValueError:
            raise ConfigError(f"{where}: expires = {waiver.expires!r}: write YYYY-MM-DD") from None
    most = sum(
        weight * min(config.caps.get(name, 1.0), 1.0) for name, weight in config.weights.items()
    ) / sum(config.weights.values())
    for name, bar in config.thresholds.items():
        where = place.at(f"thresholds.{name}")
        if name in without:
            raise ConfigError(f"{where}: {name!r} has a bar and is not_applicable: choose one")
        if bar > most + 1e-9:
            raise ConfigError(
                f"{where}: thresholds.{name} is {bar:g}, and the caps allow {most:g} at most"
            )


def _known(name: str, known: frozenset[str], problem: str) -> None:
    if name not in known:
        raise ConfigError(f"{problem} {name!r}{nearest(name, known)}")
