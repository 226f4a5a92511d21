"""One practice, plugged into codex-audit by the entry point in pyproject.toml."""

from collections.abc import Iterator

from audit.practices.registry import Place, Practice, in_file
from audit.repository import Repository


def model_card(repository: Repository) -> Iterator[Place]:
    """Released models are described by a card.

    A Markdown file named ``MODEL_CARD`` has a section on what the model is meant for.

    Why:
        Without it nobody knows what a model is fit for, and it is used where it fails.

    Fix:
        Add ``MODEL_CARD.md`` with a section "Intended use".

    Good:
        # file: MODEL_CARD.md
        # Our model

        ## Intended use

        Summaries of short English texts.

    Bad:
        # file: MODEL_CARD.md
        # Our model
    """
    for file, facts in repository.prose():
        if file.name.lower().startswith("model_card"):
            for heading in facts.headings:
                if heading.text.lower() == "intended use":
                    yield in_file(file, heading.line, "says what the model is meant for")


PRACTICES = (
    Practice(
        id="model-card",
        capability="documentation",
        role="safeguard",
        present_if="a MODEL_CARD file has a section on the intended use",
        not_if="the file is there without that section",
        detect=model_card,
        code=False,
        looks_for="a section 'Intended use' in a MODEL_CARD file",
    ),
)
