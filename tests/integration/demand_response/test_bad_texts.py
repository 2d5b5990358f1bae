"""What a utility calls an event keeps nothing from being written, shown or settled."""

import csv
from io import StringIO

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import pytest_socket
import voluptuous as vol

from custom_components.chiller_plant.demand_response.known_event import (
    from_json,
    parse_report,
)
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from tests.integration.demand_response.metering import (
    WEDNESDAY,
    an_event,
    announce,
    baseline,
    local,
    measure,
    performances,
    site_with_a_past,
    tell_time,
)
from tests.integration.demand_response.site import Board, report
from tests.integration.planning import call

HALF = "\ud83d"
"""The first half of a pair: what is left of a character that was cut in two."""


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


async def settled(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board, **names: str
) -> MockConfigEntry:
    """Let an event of these names, and another one, be over."""
    entry = await site_with_a_past(hass, clock, machines, local(*WEDNESDAY, 13, 20))
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 15)
    received = local(*WEDNESDAY, 13).timestamp()
    odd = an_event(begins, ends, received=received, **names)
    await report(hass, entry, events=[odd])
    await announce(
        hass, entry, key="Grid:e2", id="e2", begins=begins, ends=ends, received=received
    )
    await measure(
        hass, clock, machines, local(*WEDNESDAY, 13, 55), local(*WEDNESDAY, 15), 200.0
    )
    clock.move_to(local(*WEDNESDAY, 15, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    return entry


@pytest.mark.parametrize(
    ("odd", "plain"), [(HALF, "?"), ("\0", ""), ("😀\\u0000", "😀\\u0000")]
)
async def test_a_text_that_is_none_is_made_one(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    odd: str,
    plain: str,
) -> None:
    entry = await settled(
        hass, clock, machines, key=f"Grid:e{odd}", id=f"e{odd}", name=f"{odd}Hot day"
    )
    found = {row["event"]: row for row in await performances(hass, entry)}
    assert found.keys() == {f"Grid:e{plain}", "Grid:e2"}
    assert found[f"Grid:e{plain}"]["name"] == f"{plain}Hot day"
    answer = await call(hass, entry, "export_performance")
    assert answer is not None
    rows = list(csv.DictReader(StringIO(answer["csv"])))
    assert {row["event_id"] for row in rows} == {f"e{plain}", "e2"}
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await baseline(hass, entry, f"Grid:e{plain}")


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_no_text_of_others_is_a_formula(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board, formula: str
) -> None:
    entry = await settled(hass, clock, machines, id=formula, name=f'{formula},"a\nb"')
    answer = await call(hass, entry, "export_performance")
    assert answer is not None
    rows = list(csv.DictReader(StringIO(answer["csv"], newline="")))
    (row,) = [row for row in rows if row["event"] == "Grid:e1"]
    assert row["event_id"] == f"'{formula}"
    assert row["name"] == f'\'{formula},"a\nb"'
    assert float(row["achieved_kw"]) == pytest.approx(100.0, abs=0.2)


def test_what_a_signal_cannot_be_is_refused_at_the_door() -> None:
    """Nothing that is worked out later meets a duration without number."""
    event = {
        "key": "Grid:e1",
        "id": "e1",
        "source": "Grid",
        "begins": 1.0,
        "ends": 2.0,
    }
    for signal in (
        '{"kind": "simple"}',
        '{"kind": "simple", "intervals": [{"duration": "long", "value": 1}]}',
        '{"kind": "simple", "intervals": [{"duration": -1, "value": 1}]}',
        '{"kind": "simple", "intervals": [{"duration": 1, "value": "much"}]}',
        '{"intervals": []}',
    ):
        said = str(event).replace("'", '"')[:-1] + f', "signals": [{signal}]}}'
        with pytest.raises(vol.Invalid):
            parse_report(f'{{"state": "idle", "events": [{said}]}}')


def test_texts_that_are_texts_stay_as_they_are() -> None:
    pair = r'["\ud83d\ude00", "\\ud83d", "\\u0000"]'
    assert from_json(pair, 100) == ["😀", r"\ud83d", r"\u0000"]
    with pytest.raises(vol.Invalid):
        from_json("[" * 100_000 + r'"\u0000"', 200_000)
