"""What a power loss leaves: a model of a disk that drops whatever was not synced.

`JournalFiles` works on a real folder and keeps a journal. `after_power_loss`
plays a part of the journal and returns one state that the disk may be in:

- a file's bytes are durable once the file was synced; of later writes, any
  part may be lost, or be there as zeros;
- an entry in a directory (a file made, renamed or removed) is durable once
  that directory was synced; of later changes, any subset may be lost;
- a rename within a directory happens whole or not at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from codex_ml.checkpointing.files import LOCAL, OutputFile

Operation = tuple[str, Path, object]
KEEP_ALL, DROP_ALL = -1, -2  # seeds with a meaning


@dataclass
class JournalFile:
    inner: OutputFile
    path: Path
    journal: list[Operation]

    def write(self, data: bytes | memoryview) -> None:
        self.journal.append(("write", self.path, bytes(data)))
        self.inner.write(data)

    def sync(self) -> None:
        self.inner.sync()
        self.journal.append(("sync", self.path, None))

    def close(self) -> None:
        self.inner.close()


@dataclass
class JournalFiles:
    """`LocalFiles` that writes down what it did."""

    journal: list[Operation] = field(default_factory=list)

    def create(self, path: Path, size: int) -> OutputFile:
        self.journal.append(("create", path, None))
        return JournalFile(LOCAL.create(path, size), path, self.journal)

    def make_directory(self, path: Path) -> None:
        LOCAL.make_directory(path)
        self.journal.append(("make_directory", path, None))

    def make_link(self, target: str, path: Path) -> None:
        LOCAL.make_link(target, path)
        self.journal.append(("make_link", path, target))

    def rename(self, source: Path, target: Path) -> None:
        LOCAL.rename(source, target)
        self.journal.append(("rename", source, target))

    def remove(self, path: Path) -> None:
        LOCAL.remove(path)
        self.journal.append(("remove", path, None))

    def remove_directory(self, path: Path) -> None:
        LOCAL.remove_directory(path)
        self.journal.append(("remove", path, None))

    def sync_directory(self, path: Path) -> None:
        LOCAL.sync_directory(path)
        self.journal.append(("sync", path, None))


@dataclass
class Node:
    """An inode: a file with its bytes, a link with its target, or a directory."""

    content: bytes = b""
    durable: bytes = b""
    link: str | None = None
    entries: "dict[str, Node] | None" = None
    durable_entries: "dict[str, Node]" = field(default_factory=dict)
    pending: "list[dict[str, Node | None]]" = field(default_factory=list)

    def change(self, changes: "dict[str, Node | None]") -> None:
        """Change entries of a directory, all or none after a power loss."""
        assert self.entries is not None
        self.pending.append(changes)
        _apply(self.entries, changes)

    def sync(self) -> None:
        self.durable = self.content
        if self.entries is not None:
            self.durable_entries = dict(self.entries)
            self.pending = []


def _apply(entries: "dict[str, Node]", changes: "dict[str, Node | None]") -> None:
    for name, node in changes.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


class Disk:
    """The state in memory of the directory `root` and everything below."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = Node(entries={})

    def node(self, path: Path) -> Node:
        node = self.top
        for part in path.relative_to(self.root).parts:
            assert node.entries is not None
            node = node.entries[part]
        return node

    def play(self, operation: Operation) -> None:
        kind, path, argument = operation
        parent = self.node(path.parent) if path != self.root else self.top
        match kind, argument:
            case "create", _:
                parent.change({path.name: Node()})
            case "make_directory", _:
                parent.change({path.name: Node(entries={})})
            case "make_link", str():
                parent.change({path.name: Node(link=argument)})
            case "write", bytes():
                self.node(path).content += argument
            case "rename", Path():
                assert argument.parent == path.parent
                parent.change({path.name: None, argument.name: self.node(path)})
            case "remove", _:
                parent.change({path.name: None})
            case "sync", _:
                self.node(path).sync()


def after_power_loss(
    root: Path, journal: list[Operation], length: int, seed: int, target: Path
) -> None:
    """Make below `target` what may be left of `root` when power fails after `length` operations."""
    disk = Disk(root)
    for operation in journal[:length]:
        disk.play(operation)
    _leave(disk.top, target, seed, Random(seed))


def _leave(node: Node, path: Path, seed: int, random: Random) -> None:
    if node.link is not None:
        path.symlink_to(node.link)
    elif node.entries is None:
        path.write_bytes(_content(node, seed, random))
    else:
        path.mkdir(exist_ok=True)
        for name, child in _entries(node, seed, random).items():
            _leave(child, path / name, seed, random)


def _entries(node: Node, seed: int, random: Random) -> "dict[str, Node]":
    entries = dict(node.durable_entries)
    for changes in node.pending:
        if seed == KEEP_ALL or (seed != DROP_ALL and random.random() < 0.5):
            _apply(entries, changes)
    return entries


def _content(node: Node, seed: int, random: Random) -> bytes:
    if seed == KEEP_ALL or node.content == node.durable:
        return node.content
    if seed == DROP_ALL:
        return node.durable
    length = random.randint(len(node.durable), len(node.content))
    survived = node.content[:length]
    if random.random() < 0.5:  # the length was recorded, the bytes were not
        return node.durable + bytes(length - len(node.durable))
    return survived


def seeds(count: int) -> Iterator[int]:
    """Both extremes, then `count` random choices."""
    yield from (KEEP_ALL, DROP_ALL, *range(count))
