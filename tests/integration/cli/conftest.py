"""One operator and one API process per module, for a namespace of the module's own."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, apis
from tests.support.command_line import Stage, stage
from tests.support.operator_process import OperatorUnderTest, operators


@pytest.fixture(scope="module")
def module_database(sandbox: Sandbox, template_database: str) -> Iterator[str]:
    """A migrated database of this module's own."""
    name = f"cli_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name, template=template_database)
    sandbox.database.drop_database(name)


@pytest.fixture(scope="module")
def people(installed_cluster: Sandbox) -> Iterator[Stage]:
    """The cluster and its people, without an operator."""
    with stage(installed_cluster) as found:
        yield found


@pytest.fixture(scope="module")
def operator(
    people: Stage, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorUnderTest]:
    """An operator for the namespace."""
    folder = tmp_path_factory.mktemp("operator")
    with operators(people.sandbox, people.namespace, module_database, folder) as start:
        yield start().wait_leading()


@pytest.fixture(scope="module")
def driven(people: Stage, operator: OperatorUnderTest) -> Stage:
    """The same, with the operator at work."""
    return people


@pytest.fixture(scope="module")
def api(people: Stage, module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiUnderTest]:
    """An API process."""
    with apis(people.sandbox, module_database, tmp_path_factory.mktemp("api")) as start:
        yield start()
