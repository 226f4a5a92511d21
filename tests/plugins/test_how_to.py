"""The how-to, followed word for word: its files, its commands."""

import re
from pathlib import Path

from tests.plugins.site import ROOT, Site

PAGE = (ROOT / "docs/how-to/write-a-plugin.md").read_text()
FILE = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)
TYPED = re.compile(r"cat > (\S+) <<'EOF'\n(.*?) +EOF\n", re.DOTALL)
COMMAND = re.compile(r"^ *\$ codex-ml (.+)$", re.MULTILINE)


def test_a_newcomer_s_plugin_is_listed_and_used(site: Site, tmp_path: Path) -> None:
    project = tmp_path / "written/my-package"
    for name, indented in (*FILE.findall(PAGE), *TYPED.findall(PAGE)):
        for folder in (project, site.work):  # installed from one, used in the other
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(re.sub("^ {4}", "", indented, flags=re.MULTILINE))
    site.pip_install(project)
    listed, evaluated = (site.run("codex_ml", *line.split()) for line in COMMAND.findall(PAGE))
    (row,) = [line for line in listed.stdout.splitlines() if "my-package" in line]
    assert re.fullmatch(r"metrics +length-ratio +my-package 0\.1 +my_package:.* ok, .* s", row)
    assert evaluated.stdout.splitlines()[1].split() == ["length-ratio", "0.263158", "1"]
    assert (listed.returncode, evaluated.returncode) == (0, 0)
