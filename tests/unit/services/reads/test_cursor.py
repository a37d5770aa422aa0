"""Cursors keep a place for their query, for an hour, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.models.history import Place
from makima.services.reads import cursor
from makima.services.refusals import Refused

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
QUERY = {"list": "contracts", "status": ("active",)}
PLACES = st.builds(Place, st.datetimes(timezones=st.just(UTC)), st.uuids())


@given(PLACES)
def test_a_place_comes_back_to_the_microsecond(place: Place) -> None:
    assert cursor.decode(cursor.encode(place, QUERY, NOW), QUERY, NOW + timedelta(minutes=59)) == place


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_cursor(text: str) -> None:
    with pytest.raises(Refused):
        cursor.decode(text, QUERY, NOW)


@given(st.binary(max_size=100))
def test_no_bytes_are_taken_for_a_cursor(raw: bytes) -> None:
    import base64

    with pytest.raises(Refused):
        cursor.decode(base64.urlsafe_b64encode(raw).decode(), QUERY, NOW)


@given(PLACES, st.data())
def test_a_changed_letter_is_noticed(place: Place, data: st.DataObject) -> None:
    text = cursor.encode(place, QUERY, NOW)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCabc012-_~ "))
    changed = text[:at] + letter + text[at + 1 :]
    if changed == text:
        return
    with suppress(Refused):
        assert cursor.decode(changed, QUERY, NOW) == place  # bits that base64 does not use


@pytest.mark.parametrize("minutes", [-61, 61, 60 * 24 * 365])
def test_it_expires_in_both_directions_of_a_clock(minutes: int) -> None:
    text = cursor.encode(Place(NOW, UUID(int=1)), QUERY, NOW)
    with pytest.raises(Refused, match="expired"):
        cursor.decode(text, QUERY, NOW + timedelta(minutes=minutes))


def test_filters_that_are_not_said_do_not_matter() -> None:
    text = cursor.encode(Place(NOW, UUID(int=1)), QUERY, NOW)
    assert cursor.decode(text, {**QUERY, "name": None, "gone": False, "phases": ()}, NOW) is not None
    with pytest.raises(Refused, match="another query"):
        cursor.decode(text, {**QUERY, "name": "x"}, NOW)
