"""What the demonstration decides by itself."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.plant_file import parse_plant
from scripts.demonstration.filled_forms import filled_forms
from scripts.demonstration.local_time import time_zone
from scripts.demonstration.own_folder import own_folder
from scripts.demonstration.performance_table import performance_table
from scripts.demonstration.process import ProcessError
from scripts.demonstration.story import StepFailed
from scripts.demonstration.utility import OPENADR_2, OPENADR_3, Dialect, Utility
from scripts.demonstration.wire import Wire

ROOT = Path(__file__).parents[1]


def test_plant_usually_stands_in_singapore() -> None:
    assert time_zone(datetime(2026, 11, 21, 8, tzinfo=UTC)) == "Asia/Singapore"
    assert time_zone(datetime(2026, 11, 21, 15, 45, tzinfo=UTC)) == "Asia/Dubai"
    assert time_zone(datetime(2026, 11, 21, 16, tzinfo=UTC)) == "Asia/Singapore"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_no_story_begins_shortly_before_midnight(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    there = now.astimezone(ZoneInfo(time_zone(now)))
    assert there.date() == (there + timedelta(minutes=89)).date()


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_site_that_is_used_by_day_is_shown_by_day(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)

    assert 9 <= now.astimezone(ZoneInfo(time_zone(now, 9, 19))).hour < 19


def filled(speed: float) -> dict[str, dict[str, object]]:
    """Return the inputs of the site's forms by automation."""
    forms = filled_forms(
        ROOT / "examples" / "kspo",
        ROOT / "blueprints" / "automation",
        speed,
        lambda kind, name: f"the {kind} of {name}",
    )
    return {key: form["use_blueprint"]["input"] for key, form in forms.items()}


def test_forms_hold_the_ids_that_their_selectors_show() -> None:
    forms = filled(1)

    assert forms["kspo_staging"]["plant"] == "the config_entry of kspo"
    assert forms["kspo_staging"]["chillers"] == [
        "the device of chiller_1",
        "the device of chiller_2",
    ]
    assert forms["kspo_offices_night"]["point"] == (
        "the entity of offices.occupied_command"
    )
    assert forms["kspo_offices_night"]["value"] == "off"


def test_times_of_a_form_run_as_fast_as_the_plant() -> None:
    forms = filled(30)

    assert forms["kspo_staging"]["stage_hold"] == {"seconds": 30}
    assert forms["kspo_loop_pchp"]["integral_time"] == 20.0
    assert forms["kspo_towers"]["fan_rate"] == 300.0
    assert forms["kspo_sequence_weekend"]["minimum_difference"] == 0.1
    # A proof takes a few polls, whatever the speed; a clock is a clock.
    assert forms["kspo_staging"]["proof_timeout"] == {"seconds": 20.0}
    assert forms["kspo_offices_night"]["begin_time"] == "20:00:00"


def test_two_demonstrations_do_not_write_one_database(tmp_path: Path) -> None:
    with own_folder(tmp_path / "demo" / "check") as folder:
        folder.mkdir()
        with pytest.raises(ProcessError, match="another demonstration runs in"):
            own_folder(folder).__enter__()
        with own_folder(folder.with_name("event")):
            pass
    with own_folder(folder):
        pass


def result(**changes: Any) -> dict[str, Any]:
    return {
        "event_id": "peak_1",
        "source": "City grid",
        "baseline_kw": 366.0,
        "requested_kw": 73.2,
        "target_kw": 292.8,
        "actual_kw": 291.0,
        "achieved_kw": 75.0,
        "shed_percent": 102.46,
        "energy_kwh": 3.75,
        "confidence": "unknown",
        "eligible": False,
        "samples": 180,
        "method": "last_five_minutes",
        "why": "no day of the same kind",
    } | changes


def test_events_stand_beside_each_other_and_what_is_said_of_them_below() -> None:
    shown = performance_table(
        [
            result(),
            result(source="Aggregator", achieved_kw=None, eligible=True, why="b"),
        ]
    ).splitlines()

    assert "  Asked by               City grid          Aggregator" in shown
    assert "  Achieved               75.0 kW            not known" in shown
    assert "  Eligible               no                 yes" in shown
    assert [line.split(maxsplit=1)[1] for line in shown[-2:]] == [
        "no day of the same kind",
        "b",
    ]


def utility(tmp_path: Path, dialect: Dialect, *heard: dict[str, Any]) -> Utility:
    return Utility(ROOT, tmp_path / "log", dialect, heard=list(heard))


def test_utility_is_told_of_a_load_in_both_dialects(tmp_path: Path) -> None:
    by_2 = utility(
        tmp_path,
        OPENADR_2,
        {"heard": "report", "at": 10.0, "resource": "power", "value": 300.0},
        {"heard": "report", "at": 10.0, "resource": "baseline", "value": 400.0},
        {"heard": "report", "at": 20.0, "resource": "power", "value": 500.0},
    )
    whole = {"DEMAND": 300.0} | dict.fromkeys(OPENADR_3.told_with, "OK")
    by_3 = utility(tmp_path, OPENADR_3, {"heard": "report", "at": 10, "values": whole})

    for server in (by_2, by_3):
        server.check(0.0, 20.0)
        assert server.reports()[0] == (10.0, 300.0)


def test_utility_complains_of_what_is_missing_or_not_as_published(
    tmp_path: Path,
) -> None:
    poor = {"heard": "report", "at": 10.0, "values": {"DEMAND": 300.0}}
    with pytest.raises(StepFailed, match="a report without BASELINE, DATA_QUALITY"):
        utility(tmp_path, OPENADR_3, poor).check(0.0, 20.0)

    wrong = {"heard": "violation", "what": "new report.resources: missing"}
    with pytest.raises(StepFailed, match=r"not as published: new report\.resources"):
        utility(tmp_path, OPENADR_3, wrong).check(0.0, 20.0)


SILENT = """
plant: {{key: site, name: Site}}
connections:
  drives: {{protocol: modbus_tcp, host: 127.0.0.1, port: {port}, devices: {{board: {{unit: 1}}}}}}
equipment:
  plant: {{type: plant, name: Plant}}
  meter:
    type: meter
    name: Meter
    device: board
    measures: [plant]
    points: {{power: {{register: input, address: 1}}}}
profiles: [Weekday]
day_types: {{weekdays: Weekday, weekends: Weekday}}
"""


async def test_whoever_reads_the_wire_ends_when_he_is_cancelled() -> None:
    asked = asyncio.Event()

    async def listen(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def for_ever(wire: Wire) -> None:
        while True:
            await wire.read(["meter.power"])

    async with (
        server,
        Wire(parse_plant(SILENT.format(port=port), "plant.yaml")) as wire,
    ):
        reading = asyncio.create_task(for_ever(wire))
        await asyncio.wait_for(asked.wait(), 30)
        reading.cancel()
        done, _ = await asyncio.wait({reading}, timeout=30)
        assert done
        assert reading.cancelled()
