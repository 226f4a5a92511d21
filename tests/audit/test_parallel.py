"""Work on several cores: order, death of a process, systems without fork."""

import os

import pytest

from audit.parallel import MAX_TASKS, spread


def _double(task: int) -> bytes:
    return str(2 * task).encode()


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_answers_come_in_the_order_of_their_tasks(processes: int, count: int) -> None:
    tasks = range(count)
    assert spread(_double, tasks, processes) == [_double(one) for one in tasks]


def test_what_a_process_had_taken_that_dies_is_done_by_this_one() -> None:
    own = os.getpid()

    def dies_elsewhere(task: int) -> bytes:
        if os.getpid() != own:
            os._exit(9)
        return _double(task)

    assert spread(dies_elsewhere, range(20), 2) == [_double(one) for one in range(20)]


def test_several_processes_share_the_tasks() -> None:
    reading, writing = os.pipe()

    def waits_for_the_other(task: int) -> bytes:
        """The first task can end only when another process has taken the second."""
        if task == 0:
            os.read(reading, 1)
        else:
            os.write(writing, b"!")
        return str(os.getpid()).encode()

    first, second = spread(waits_for_the_other, range(2), 2)
    assert first != second


def test_what_a_task_raises_reaches_the_caller() -> None:
    def fails(task: int) -> bytes:
        raise ValueError(f"task {task}")

    with pytest.raises(ValueError, match="task"):
        spread(fails, range(4), 2)


def test_more_tasks_than_a_pipe_holds_are_done_here() -> None:
    own = str(os.getpid()).encode()
    found = spread(lambda _: str(os.getpid()).encode(), range(MAX_TASKS + 1), 2)
    assert set(found) == {own}


def test_without_fork_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert spread(_double, range(5), 2) == [_double(one) for one in range(5)]
