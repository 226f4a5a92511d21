"""Duplicated code, whatever it is called and however it is laid out."""

from textwrap import dedent

from audit.clones import Region, shares, stream

BODY = dedent(
    """\
    def load(path, strict):
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, value in state.items():
            if not strict and name.startswith("head."):
                continue
            model.get_parameter(name).data.copy_(value)
        return model.eval()
    """
)
OTHER = dedent(
    """\
    def save(model, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with folder.joinpath("weights").open("wb") as stream:
            pickle.dump({name: one.numpy() for name, one in model.named_parameters()}, stream)
        return folder / "weights"
    """
)


def share(texts: dict[str, str], path: str = "a.py") -> float:
    last = texts[path].count("\n")
    streams = {name: stream(text) for name, text in texts.items()}
    return shares(streams, [Region("s", path, 1, last)])["s"]


def test_code_that_stands_once_is_no_clone() -> None:
    assert share({"a.py": BODY, "b.py": OTHER}) == 0


def test_a_copy_is_a_clone_under_other_local_names() -> None:
    renamed = BODY.replace("state", "weights").replace("value", "tensor").replace("strict", "exact")
    assert share({"a.py": BODY, "b.py": OTHER + renamed}) > 0.8


def test_a_copy_is_a_clone_with_other_comments_and_literals() -> None:
    other = BODY.replace('"cpu"', '"cuda:0"').replace("continue", "continue  # skip the head")
    assert share({"a.py": BODY, "b.py": OTHER + other}) > 0.8


def test_code_of_the_same_shape_that_calls_other_things_is_no_clone() -> None:
    other = (
        BODY.replace("torch.load", "numpy.fromfile")
        .replace("copy_", "fill")
        .replace("items", "rows")
    )
    assert share({"a.py": BODY, "b.py": OTHER + other}) < 0.5


def test_identical_files_count_once() -> None:
    assert share({"a.py": BODY, "copy/a.py": BODY}) == 0


def test_a_multi_line_string_keeps_the_lines_apart() -> None:
    found = stream('x = """a\nb\n"""\ny = 1\n')
    assert len(found.starts) == 5
