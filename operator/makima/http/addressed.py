"""Which contract the `{id}` of a path means: dependencies of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from makima.http.caller import calling
from makima.http.use_cases import UseCases
from makima.services.access.contract_lookup import ContractId, Located, parse_contract_id
from makima.services.access.person import Person

Id = Annotated[
    str,
    Path(
        alias="id",
        min_length=1,
        max_length=320,
        description="UID of the contract, or namespace:name (the newest contract of that name).",
        examples=["7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11"],
    ),
]


async def address(text: Id) -> ContractId:
    """The address in the path.

    Raises:
        Refused: VALIDATION_FAILED, it is none.
    """
    return parse_contract_id(text)


Address = Annotated[ContractId, Depends(address)]
Calling = Annotated[Person, Depends(calling)]


def located(use: UseCases) -> Callable[..., Awaitable[Located]]:
    """A dependency that is the contract, which the caller may read."""

    async def find(named: Address, who: Calling) -> Located:
        return await use.lookup.find(who.identity, named)

    return find


def addressed_uid(use: UseCases) -> Callable[..., Awaitable[UUID]]:
    """A dependency that is the UID only: for calls that ask for rights of their own."""

    async def find(named: Address, who: Calling) -> UUID:
        if named.uid is not None:
            return named.uid
        return (await use.lookup.find(who.identity, named)).uid

    return find
