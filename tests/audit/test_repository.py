"""What the repository remembers, and the order in which it answers."""

from audit.repository import Repository, once
from tests.audit.build import repository


def test_a_question_is_asked_once_a_repository_even_if_the_answer_is_empty() -> None:
    asked: list[Repository] = []

    @once
    def nothing(repo: Repository) -> tuple[int, ...]:
        asked.append(repo)
        return ()

    one, other = repository({"a.py": ""}), repository({"b.py": ""})
    assert [nothing(repo) for repo in (one, one, other, one)] == [()] * 4
    assert asked == [one, other]


def test_assignments_come_in_the_order_of_their_files_and_lines() -> None:
    repo = repository({"a.py": "x = 1\ny = 2\nx = 3\n", "b.py": "y = 4\n"})
    found = [(module.path, one.line) for module, one in repo.assigns("^:[xy]$")]
    assert found == [("a.py", 1), ("a.py", 2), ("a.py", 3), ("b.py", 1)]
