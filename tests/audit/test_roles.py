"""What a file plays: by its folder, and by what lies beside it."""

import pytest

from audit import roles

PACKAGE = ["setup.py", "src/package/__init__.py", "src/package/model.py"]


@pytest.mark.parametrize(
    ("path", "beside", "role"),
    [
        (
            "inference/dependencies/other/code.py",
            "inference/dependencies/other/LICENSE",
            "vendored",
        ),
        ("inference/dependencies/own.py", "inference/dependencies/other/COPYING", "vendored"),
        ("app/dependencies/auth.py", "LICENSE", "product"),
    ],
)
def test_projects_with_licences_of_their_own_in_a_folder_for_them(
    path: str, beside: str, role: str
) -> None:
    assert roles.assign([path, beside], {})[path] == role


@pytest.mark.parametrize(
    ("path", "beside", "role"),
    [
        ("scripts/sft.py", "scripts/dpo.py", "product"),
        ("scripts/dpo.py", "scripts/sft.py", "product"),
        ("scripts/inference/chat.py", "scripts/train/train.py", "product"),
        ("scripts/release.py", "scripts/bump.py", "build"),
        ("recipes/chat.py", "recipes/other.py", "example"),
    ],
)
def test_scripts_beside_a_src_layout_are_the_product_where_they_train(
    path: str, beside: str, role: str
) -> None:
    assert roles.assign([*PACKAGE, path, beside], {})[path] == role
