"""What is run beside its caller."""

from collections.abc import Iterator

from audit.practices.handing import argument
from audit.practices.libraries import called
from audit.repository import Repository
from audit.sites import Site


def started(repo: Repository) -> Iterator[tuple[Site, str, str]]:
    """Yield what is run beside the caller: the call, the function, what runs it."""
    for site, worker in called(repo, "background-workers"):
        yield site, argument(site, 1, "target"), worker
    for site in repo.methods("submit", "run_in_executor", "apply_async"):
        if any("submitit." in one for one in site.names):
            continue  # starts a job on a cluster
        if site.within("with", r"Executor\(\)"):
            continue  # waits for all that it has started
        place = 1 if site.method == "run_in_executor" else 0
        for text in site.call.args[place : place + 1]:
            yield site, text, "an executor"
