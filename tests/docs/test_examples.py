"""The Python blocks of the pages run, each page's from top to bottom, in one process."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import TORCH

ROOT = Path(__file__).parents[2]
PAGES = (
    "how-to/resume-a-run", "how-to/train-on-several-devices", "how-to/write-a-plugin",
    "plugins/Plugin_Registry", "training/Distributed_Minimal_Hooks", "training/Evaluation_CLI",
    "training/Tokenization",
)  # fmt: skip
RUN = """
import pathlib, re, sys
for path in sys.argv[1:]:
    text = pathlib.Path(path).read_text(encoding="utf-8")
    blocks = re.findall(r"^([ ]*)```python.*?\\n(.*?)^\\1```", text, re.MULTILINE | re.DOTALL)
    assert blocks, path
    names = {"__name__": "page"}
    for indent, block in blocks:
        exec(compile(re.sub(f"^{indent}", "", block, flags=re.MULTILINE), path, "exec"), names)
"""


@TORCH
def test_the_python_blocks_of_the_pages_run(tmp_path: Path) -> None:
    (tmp_path / "codex_ml").symlink_to(ROOT / "codex_ml")  # the texts that one page trains on
    paths = [str(ROOT / f"docs/{one}.md") for one in PAGES]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, *paths],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_no_page_with_python_blocks_is_left_out() -> None:
    found = {
        str(path.relative_to(ROOT / "docs").with_suffix(""))
        for path in (ROOT / "docs").rglob("*.md")
        if "```python" in path.read_text(encoding="utf-8")
    }
    # tests/checkpointing/test_docs.py runs the page about checkpoints with its commands.
    apart = {"training/Checkpointing_Surfaces"}
    made = ("reference/api/", "practices/")  # their examples are tested where they are written
    assert {one for one in found if not one.startswith(made)} == {*PAGES, *apart}
