"""Objects of other libraries that train a model and can write and read it themselves."""

from collections.abc import Iterator

from audit.practices.origins import called_on
from audit.repository import Repository
from audit.sites import Site

SAVES = ("save", "save_model", "save_weights", "save_checkpoint", "export")
LOADS = ("load", "load_model", "load_weights", "load_learner", "restore", "set_parameters")
TRAINS = ("learn", "fit", "train", "fit_one_cycle", "fine_tune", "train_model")


def called(repo: Repository, *methods: str) -> Iterator[tuple[Site, str]]:
    """Yield calls of some methods on what another library trains, with the library's name."""
    for site in repo.methods(*methods):
        if name := called_on(site, "learners"):
            yield site, name
