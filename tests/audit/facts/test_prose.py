"""What pages say: blocks, directives, headings."""

import pytest

from audit.facts import restructured


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param(
            "Use::\n\n    pip install p\n    p run\n", "pip install p\np run", id="literal"
        ),
        pytest.param(
            ".. code-block:: python\n   :linenos:\n\n   import p\n   if p:\n       p.run()\n\nEnd\n",
            "import p\nif p:\n    p.run()",
            id="code block with an option",
        ),
    ],
)
def test_indented_blocks_are_dedented(page: str, text: str) -> None:
    (fence,) = restructured.restructured(page.encode()).fences
    assert fence.text == text
