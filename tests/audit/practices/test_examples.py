"""The good example of every practice's page is present to its detector, the bad one is not."""

import pytest

from audit.practices import registry
from tests.audit.build import decided

PRACTICES = tuple(registry.declared())


@pytest.mark.parametrize("practice", PRACTICES, ids=lambda one: one.id)
def test_the_good_example_is_present(practice: registry.Practice) -> None:
    result = decided(practice.id, practice.prose.good)
    assert result.status == "present", result


@pytest.mark.parametrize("practice", PRACTICES, ids=lambda one: one.id)
def test_the_bad_example_is_not_present(practice: registry.Practice) -> None:
    result = decided(practice.id, practice.prose.bad)
    assert result.status == "absent", result
