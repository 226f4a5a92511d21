"""What a suite of tests is, runs and covers."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        "test-suite",
        """\
        # file: tests/test_a.py
        from p import double

        def test_0():
            assert double(0) == 0

        def test_1():
            assert double(1) == 2

        def test_2():
            assert double(2) == 4

        def test_3():
            assert double(3) == 6

        def test_4():
            assert double(4) == 8
        """,
        id="pytest functions",
    ),
    pytest.param(
        "test-suite",
        """\
        # file: tests/test_a.py
        import unittest
        from p import double

        class TestDouble(unittest.TestCase):
            def test_0(self):
                self.assertEqual(double(0), 0)

            def test_1(self):
                self.assertEqual(double(1), 2)

            def test_2(self):
                self.assertEqual(double(2), 4)

            def test_3(self):
                self.assertEqual(double(3), 6)

            def test_4(self):
                self.assertEqual(double(4), 8)
        """,
        id="unittest methods",
    ),
    pytest.param(
        "test-suite",
        """\
        # file: package/__init__.py
        # file: package/tests/test_a.py
        from p import double

        def test_0():
            assert double(0) == 0

        def test_1():
            assert double(1) == 2

        def test_2():
            assert double(2) == 4

        def test_3():
            assert double(3) == 6

        def test_4():
            assert double(4) == 8
        """,
        id="tests inside the package",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: python -m unittest discover
        """,
        id="unittest",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: scripts/test.sh
        set -e
        pytest -x tests
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: docker run image bash -c 'cd /src && ./scripts/test.sh'
        """,
        id="script in a container",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: tests/integration/run.py
        print('run')
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: python -m tests.integration.run
              - run: python tests/integration/run.py --all
        """,
        id="test program of the repository",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: coverage run --source=src -m pytest
        """,
        id="coverage as launcher",
    ),
    pytest.param(
        "test-parametrized",
        """\
        # file: tests/test_a.py
        from hypothesis import given, strategies as st

        @given(st.integers())
        def test_double(x):
            assert x + x == 2 * x
        """,
        id="hypothesis",
    ),
    pytest.param(
        "test-parametrized",
        """\
        # file: tests/test_a.py
        import unittest

        class TestA(unittest.TestCase):
            def test_double(self):
                for x in (1, 2):
                    with self.subTest(x=x):
                        self.assertEqual(x + x, 2 * x)
        """,
        id="subTest",
    ),
    pytest.param(
        "test-parametrized",
        """\
        # file: tests/test_a.py
        import unittest
        from parameterized import parameterized

        class TestA(unittest.TestCase):
            @parameterized.expand([(1,), (2,)])
            def test_double(self, x):
                self.assertEqual(x + x, 2 * x)
        """,
        id="parameterized.expand",
    ),
    pytest.param(
        "test-end-to-end",
        """\
        # file: package/__init__.py
        # file: package/trainer.py
        class Trainer:
            def __init__(self, model, optimizer):
                self.model, self.optimizer = model, optimizer
            def run(self, batches):
                for x in batches:
                    self.update(x)
            def update(self, x):
                self.model(x).sum().backward()
                self.optimizer.step()
        # file: tests/test_a.py
        from package.trainer import Trainer

        def test_run(model, optimizer):
            Trainer(model, optimizer).run([1])
        """,
        id="method of the product's trainer",
    ),
    pytest.param(
        "test-end-to-end",
        """\
        # file: train.py
        from package.loop import fit

        def main():
            fit(1, 2, 3)

        if __name__ == '__main__':
            main()
        # file: package/__init__.py
        # file: package/loop.py
        def fit(model, batches, optimizer):
            for x in batches:
                model(x).sum().backward()
                optimizer.step()

        def shape(x):
            return x.shape
        # file: tests/test_a.py
        import subprocess, sys

        def test_train():
            subprocess.run([sys.executable, 'train.py', '--steps', '2'], check=True)
        """,
        id="script in a process",
    ),
    pytest.param(
        "test-end-to-end",
        """\
        # file: package/__init__.py
        # file: package/layers.py
        import torch

        class Layer(torch.nn.Module):
            def forward(self, x):
                return x
        # file: tests/test_a.py
        import torch
        from package.layers import Layer

        def test_learns():
            model = Layer()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            model(torch.ones(1)).sum().backward()
            optimizer.step()
        """,
        id="loop of the test where the product has none",
    ),
    pytest.param(
        "test-markers",
        """\
        # file: tests/test_a.py
        import pytest, torch

        @pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
        def test_gpu():
            assert torch.ones(1).cuda().sum() == 1
        """,
        id="skip without a GPU",
    ),
    pytest.param(
        "test-markers",
        """\
        # file: tests/test_a.py
        import pytest

        @pytest.mark.gpu
        def test_gpu():
            assert run()
        """,
        id="marker of its own",
    ),
    pytest.param(
        "test-markers",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest -m 'not slow' tests
        """,
        id="selection in CI",
    ),
    pytest.param(
        "test-coverage",
        """\
        # file: .coveragerc
        [run]
        source = package
        """,
        id="coverage file",
    ),
    pytest.param(
        "test-coverage",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest --cov=package --cov-report=xml
        """,
        id="options of a CI step",
    ),
    pytest.param(
        "test-coverage",
        """\
        # file: codecov.yml
        coverage:
          status:
            project: off
        """,
        id="codecov settings",
    ),
]
MISSES = [
    pytest.param(
        "test-suite",
        """\
        # file: tests/test_a.py
        from p import double

        def test_0():
            assert double(0) == 0

        def test_1():
            assert double(1) == 2

        def test_2():
            assert double(2) == 4

        def test_3():
            assert double(3) == 6
        """,
        id="four tests",
    ),
    pytest.param(
        "test-suite",
        """\
        # file: tests/test_a.py
        def test_0():
            pass

        def test_1():
            pass

        def test_2():
            pass

        def test_3():
            pass

        def test_4():
            pass

        def test_5():
            pass

        def test_6():
            pass

        def test_7():
            pass

        def test_8():
            pass
        """,
        id="empty tests",
    ),
    pytest.param(
        "test-suite",
        """\
        # file: package/__init__.py
        # file: package/eval.py
        from p import double

        def test_0():
            assert double(0) == 0

        def test_1():
            assert double(1) == 2

        def test_2():
            assert double(2) == 4

        def test_3():
            assert double(3) == 6

        def test_4():
            assert double(4) == 8
        """,
        id="product functions with that name",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pip install pytest
              - run: ruff check .
        """,
        id="pytest only installed",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest --collect-only
        """,
        id="collection only",
    ),
    pytest.param(
        "test-in-ci",
        """\
        # file: Makefile
        test:
        \tpytest
        lint:
        \truff check .
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: make lint
        """,
        id="target that CI does not run",
    ),
    pytest.param(
        "test-parametrized",
        """\
        # file: tests/test_a.py
        def test_double():
            for x in (1, 2):
                assert x + x == 2 * x
        """,
        id="loop",
    ),
    pytest.param(
        "test-parametrized",
        """\
        # file: tests/test_a.py
        import pytest

        @pytest.mark.slow
        def test_double():
            assert 1 + 1 == 2
        """,
        id="other mark",
    ),
    pytest.param(
        "test-parametrized",
        """\
        from hypothesis import given, strategies as st

        @given(st.integers())
        def check(x):
            assert x
        """,
        id="library in product code",
    ),
    pytest.param(
        "test-end-to-end",
        """\
        # file: package/__init__.py
        # file: package/loop.py
        def fit(model, batches, optimizer):
            for x in batches:
                model(x).sum().backward()
                optimizer.step()

        def shape(x):
            return x.shape
        # file: tests/test_a.py
        from package.loop import shape

        def test_shape(x):
            assert shape(x) == (1,)
        """,
        id="units of the same module",
    ),
    pytest.param(
        "test-end-to-end",
        """\
        # file: package/__init__.py
        # file: package/loop.py
        def fit(model, batches, optimizer):
            for x in batches:
                model(x).sum().backward()
                optimizer.step()

        def shape(x):
            return x.shape
        # file: tests/test_a.py
        import torch

        def test_sgd():
            weight = torch.nn.Parameter(torch.ones(1))
            optimizer = torch.optim.SGD([weight], lr=0.1)
            weight.sum().backward()
            optimizer.step()
        """,
        id="loop around bare parameters",
    ),
    pytest.param(
        "test-end-to-end",
        """\
        # file: package/__init__.py
        # file: package/layers.py
        import torch

        class Layer(torch.nn.Module):
            def forward(self, x):
                return x
        # file: tests/test_a.py
        import torch
        from package.layers import Layer

        def test_gradient():
            Layer()(torch.ones(1, requires_grad=True)).sum().backward()
        """,
        id="backward alone",
    ),
    pytest.param(
        "test-markers",
        """\
        # file: tests/test_a.py
        import pytest

        @pytest.mark.parametrize('x', [1])
        def test_a(x):
            assert x
        """,
        id="parametrize",
    ),
    pytest.param(
        "test-markers",
        """\
        # file: tests/test_a.py
        import unittest

        @unittest.skip('broken')
        def test_a():
            assert False
        """,
        id="skipped for good",
    ),
    pytest.param(
        "test-markers",
        """\
        # file: tests/test_a.py
        import pytest

        @pytest.mark.xfail
        def test_a():
            assert run()
        """,
        id="expected failure",
    ),
    pytest.param(
        "test-coverage",
        """\
        # file: README.md
        # P

        ![coverage](https://codecov.io/gh/o/p/badge.svg)
        """,
        id="badge",
    ),
    pytest.param(
        "test-coverage",
        """\
        # file: requirements-dev.txt
        pytest-cov
        """,
        id="plugin as a dependency",
    ),
    pytest.param(
        "test-coverage",
        """\
        # file: pyproject.toml
        [tool.coverage.run]
        """,
        id="empty table",
    ),
]


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
