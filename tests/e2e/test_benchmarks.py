"""The parts of the benchmarks that start a Home Assistant, at their smallest."""

import asyncio
from math import isfinite
from pathlib import Path

from benchmarks.bus_parts import large_house, recovery
from benchmarks.latency_parts import figures as latency
from benchmarks.latency_parts.sites import site_of


def test_a_device_that_was_away_is_timed_until_its_reports_are_live(
    tmp_path: Path,
) -> None:
    result = asyncio.run(recovery.measure(tmp_path, outages=(1.0,), devices=1))

    assert [figure.key for figure in result.figures] == ["recovery.seconds"]
    assert result.figures[0].value > 0
    assert result.details["reported before the outages"] == [True]


def test_a_house_with_the_example_plant_is_weighed(tmp_path: Path) -> None:
    result = asyncio.run(
        large_house.measure(
            tmp_path, points=0, seconds=3.0, settle=2.0, idle_seconds=2.0
        )
    )

    figures = {figure.key: figure.value for figure in result.figures}
    assert figures.keys() == {"ha.cpu_share", "ha.rss_mb", "ha.start_s"}
    assert all(isfinite(value) for value in figures.values())
    assert figures["ha.rss_mb"] > 50
    assert result.details["entities available"] > 0


def test_a_changed_reading_is_followed_to_the_command_on_the_wire(
    tmp_path: Path,
) -> None:
    result = asyncio.run(
        latency.measure(site_of("kspo"), tmp_path, times=3, settle=1.0)
    )

    figures = {figure.key: figure.value for figure in result.figures}
    unanswered = figures.pop("latency.kspo.changes_without_answer")
    assert figures.keys() == {
        "latency.kspo.p50_ms",
        "latency.kspo.p99_ms",
        "latency.kspo.transport_p99_ms",
        "latency.kspo.transport_to_round_trip",
        "latency.kspo.control_core_percent",
    }
    assert all(isfinite(value) and value > 0 for value in figures.values())
    assert figures["latency.kspo.p50_ms"] <= figures["latency.kspo.p99_ms"]
    assert result.details["changes"] == 18
    assert unanswered <= 1
    assert result.details["automations"] > 6, "the site's own run besides"
