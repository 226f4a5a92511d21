"""What package metadata declares."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        "package-pep621",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [project]
        name = 'package'
        version = '1.0'
        """,
        id="static version",
    ),
    pytest.param(
        "package-pep621",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [project]
        name = 'package'
        dynamic = ['readme', 'version']
        """,
        id="dynamic version",
    ),
    pytest.param(
        "package-pep621",
        """\
        # file: python/pyproject.toml
        [project]
        name = 'package'
        version = '1.0'
        """,
        id="project in a folder of its own",
    ),
    pytest.param(
        "package-scripts",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [tool.poetry.scripts]
        run = 'package.cli:main'
        """,
        id="poetry scripts",
    ),
    pytest.param(
        "package-scripts",
        """\
        # file: setup.py
        import setuptools
        setuptools.setup(name='p', entry_points={'console_scripts': ['p=p:main']})
        """,
        id="entry points of setup()",
    ),
    pytest.param(
        "package-scripts",
        """\
        # file: setup.cfg
        [options.entry_points]
        console_scripts =
            p = p.cli:main
        """,
        id="entry points of setup.cfg",
    ),
    pytest.param(
        "package-extras",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [dependency-groups]
        dev = ['pytest']
        """,
        id="dependency groups",
    ),
    pytest.param(
        "package-extras",
        """\
        # file: setup.cfg
        [options.extras_require]
        test = pytest
        """,
        id="extras of setup.cfg",
    ),
    pytest.param(
        "package-extras",
        """\
        # file: setup.py
        from setuptools import setup
        kwargs = {'name': 'p', 'extras_require': {'dev': ['ruff']}}
        setup(**kwargs)
        """,
        id="arguments given as a dict",
    ),
    pytest.param(
        "package-license",
        """\
        # file: COPYING
        Permission is granted to everybody to copy and use this software as they see fit, without any warranty.
        """,
        id="COPYING",
    ),
    pytest.param(
        "package-license",
        """\
        # file: LICENSE-MIT
        Permission is hereby granted, free of charge, to any person obtaining a copy of this software and its files.
        """,
        id="two licences by name",
    ),
    pytest.param(
        "package-license",
        """\
        # file: LICENSE.md
        # Apache License

        Licensed to you under the terms below, which permit use, copying, change and distribution with this notice kept.
        """,
        id="Markdown licence",
    ),
    pytest.param(
        "package-python-bound",
        """\
        # file: setup.cfg
        [options]
        python_requires = >=3.9
        """,
        id="setup.cfg",
    ),
    pytest.param(
        "package-python-bound",
        """\
        # file: setup.py
        from setuptools import setup
        setup(name='p', python_requires='>=3.9')
        """,
        id="setup()",
    ),
    pytest.param(
        "package-python-bound",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [tool.poetry.dependencies]
        python = '^3.10'
        """,
        id="poetry",
    ),
    pytest.param(
        "package-typed",
        """\
        # file: src/package/__init__.py
        # file: src/package/py.typed
        """,
        id="marker in src layout",
    ),
    pytest.param(
        "package-typed",
        """\
        # file: package/__init__.py
        # file: package/py.typed
        partial
        """,
        id="partial marker",
    ),
    pytest.param(
        "package-typed",
        """\
        # file: package/__init__.py
        # file: package/core/__init__.py
        # file: package/core/py.typed
        """,
        id="marker in a subpackage",
    ),
]
MISSES = [
    pytest.param(
        "package-pep621",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [project]
        name = 'package'
        """,
        id="name without version",
    ),
    pytest.param(
        "package-pep621",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [tool.poetry]
        name = 'package'
        version = '1'
        """,
        id="poetry alone",
    ),
    pytest.param(
        "package-pep621",
        """\
        # file: examples/app/pyproject.toml
        [project]
        name = 'app'
        version = '1'
        """,
        id="project of an example",
    ),
    pytest.param(
        "package-scripts",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [project.scripts]
        """,
        id="empty table",
    ),
    pytest.param(
        "package-scripts",
        """\
        # file: setup.py
        from setuptools import setup
        setup(name='p', entry_points={'pytest11': ['p=p']})
        """,
        id="other entry points",
    ),
    pytest.param(
        "package-scripts",
        """\
        # file: setup.py
        from setuptools import setup
        setup(name='p', scripts=['bin/run'])
        """,
        id="files in scripts",
    ),
    pytest.param(
        "package-extras",
        """\
        # file: setup.py
        from setuptools import setup
        setup(name='p', extras_require={})
        """,
        id="empty extras of setup()",
    ),
    pytest.param(
        "package-extras",
        """\
        # file: requirements-dev.txt
        pytest
        """,
        id="requirements files",
    ),
    pytest.param(
        "package-extras",
        """\
        # file: setup.py
        from setuptools import setup
        extras_require = {'dev': ['ruff']}
        setup(name='p')
        """,
        id="local that is not passed on",
    ),
    pytest.param(
        "package-license",
        """\
        # file: LICENSE
        """,
        id="empty file",
    ),
    pytest.param(
        "package-license",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [project]
        name = 'package'
        license = 'MIT'
        """,
        id="line in the metadata",
    ),
    pytest.param(
        "package-license",
        """\
        # file: third_party/x/LICENSE
        Permission is hereby granted, free of charge, to any person obtaining a copy of this software and its files.
        """,
        id="licence of vendored code",
    ),
    pytest.param(
        "package-python-bound",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [project]
        name = 'p'
        classifiers = ['Programming Language :: Python :: 3.10']
        """,
        id="classifiers",
    ),
    pytest.param(
        "package-python-bound",
        """\
        # file: package/__init__.py
        # file: pyproject.toml
        [tool.ruff]
        target-version = 'py310'
        """,
        id="tool target",
    ),
    pytest.param(
        "package-python-bound",
        """\
        # file: setup.py
        from package import configure
        configure(python_requires='>=3.9')
        """,
        id="another call named setup",
    ),
    pytest.param(
        "package-typed",
        """\
        # file: package/__init__.py
        VERSION: str = '1'
        """,
        id="no marker",
    ),
    pytest.param(
        "package-typed",
        """\
        # file: package/__init__.py
        # file: py.typed
        """,
        id="marker outside a package",
    ),
    pytest.param(
        "package-typed",
        """\
        # file: package/__init__.py
        # file: tests/__init__.py
        # file: tests/py.typed
        """,
        id="marker in tests",
    ),
]


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
