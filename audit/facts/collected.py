"""What is collected while a page is read, whatever its markup."""

from audit.facts.model import (
    Anchor,
    Directive,
    Example,
    Fence,
    Heading,
    Link,
    Paragraph,
    ProseFacts,
    Row,
    Span,
)

MAX_FENCE = 16_000


class Collected:
    """Facts of a page, each kind in the order in which it is met."""

    def __init__(self) -> None:
        self.headings: list[Heading] = []
        self.links: list[Link] = []
        self.fences: list[Fence] = []
        self.spans: list[Span] = []
        self.directives: list[Directive] = []
        self.anchors: list[Anchor] = []
        self.rows: list[Row] = []
        self.paragraphs: list[Paragraph] = []
        self.examples: list[Example] = []

    def facts(self, words: int) -> ProseFacts:
        """Return the facts; `words` is how many the page has."""
        return ProseFacts(
            tuple(self.headings), tuple(self.links), tuple(self.fences), tuple(self.spans),
            tuple(self.directives), words, tuple(self.anchors), tuple(self.rows),
            tuple(self.paragraphs), tuple(self.examples),
        )  # fmt: skip
