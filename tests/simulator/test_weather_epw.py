"""Typical-year files: what is read, what is mended, what is refused."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from custom_components.chiller_plant.simulator.weather_series import (
    HOUR,
    YEAR_START,
    Gap,
    WeatherError,
    WeatherSeries,
)

type Change = Callable[[list[list[str]]], None]

MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
HEADINGS = (
    "LOCATION,Own Town,-,XXX,made by a test,999999,1.35,103.8,8.0,10.0",
    "DESIGN CONDITIONS,0",
    "TYPICAL/EXTREME PERIODS,0",
    "GROUND TEMPERATURES,0",
    "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
    "COMMENTS 1,",
    "COMMENTS 2,",
    "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
)


def dry_bulb(hour: int) -> float:
    """Return what the sample has at the end of an hour of the year."""
    return round(27.0 + 3.0 * np.cos(2.0 * np.pi * (hour - 15) / 24.0), 1)


def sample() -> list[list[str]]:
    """Return the rows of a year as an EPW has them."""
    rows = []
    hour = 0
    for month, days in enumerate(MONTHS, 1):
        for day in range(1, days + 1):
            for of_day in range(1, 25):
                hour += 1
                sun = max(0, round(900 * np.sin(np.pi * (of_day - 6.5) / 12.0)))
                row = ["2005", str(month), str(day), str(of_day), "60", "?"]
                row += [f"{dry_bulb(hour):.1f}", "23.0", "80", "100500"]
                row += ["0", "0", "9999", str(sun), "0", "0"]
                row += ["999999"] * 5 + ["0", "0"]
                rows.append(row)
    return rows


def written(
    folder: Path,
    change: Change | None = None,
    headings: Sequence[str] = HEADINGS,
) -> Path:
    rows = sample()
    if change is not None:
        change(rows)
    path = folder / "own_town.epw"
    lines = [*headings, *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    return path


def test_a_file_is_read_with_each_value_at_its_hour(tmp_path: Path) -> None:
    series = WeatherSeries.from_epw(written(tmp_path))
    times = YEAR_START + HOUR * np.array([1.0, 15.0, 3.0, 24.0 * 200 + 15.0])
    air = series.at(times)
    assert air.dry_bulb == pytest.approx([dry_bulb(1), 30.0, 24.0, 30.0])
    assert air.dew_point == pytest.approx([23.0] * 4)
    assert series.hours == 8760
    assert series.gaps == ()
    assert series.source == "own_town.epw (Own Town)"


def test_sun_stands_where_its_hour_has_its_middle(tmp_path: Path) -> None:
    series = WeatherSeries.from_epw(written(tmp_path))
    noon, night = YEAR_START + 12.0 * HOUR, YEAR_START + 1.0 * HOUR
    air = series.at(np.array([noon, night]))
    # The records of the hours to 12 and to 13 o'clock are alike: noon is between.
    assert air.solar == pytest.approx([892.0, 0.0], abs=1.0)


def test_pressure_of_the_place_counts_for_the_wet_bulb(tmp_path: Path) -> None:
    def higher_up(rows: list[list[str]]) -> None:
        for row in rows:
            row[9] = "80000"

    low = WeatherSeries.from_epw(written(tmp_path)).mean
    high = WeatherSeries.from_epw(written(tmp_path, higher_up)).mean
    assert high.wet_bulb[0] < low.wet_bulb[0] - 0.05
    assert high.humidity_ratio[0] > 1.2 * low.humidity_ratio[0]


def test_a_short_gap_is_interpolated_and_told(tmp_path: Path) -> None:
    def gap(rows: list[list[str]]) -> None:
        for row in rows[100:103]:
            row[6] = "99.9"
        rows[200][13] = ""

    series = WeatherSeries.from_epw(written(tmp_path, gap))
    assert series.gaps == (
        Gap("dry bulb temperature", 109, 3),
        Gap("global horizontal radiation", 209, 1),
    )
    mended = series.hourly.dry_bulb[99:104]
    assert np.diff(mended) == pytest.approx([np.diff(mended).mean()] * 4)


def test_a_gap_over_the_end_of_the_year_is_one_gap(tmp_path: Path) -> None:
    def gap(rows: list[list[str]]) -> None:
        for row in (*rows[-2:], rows[0]):
            row[7] = "99.9"

    series = WeatherSeries.from_epw(written(tmp_path, gap))
    assert series.gaps == (Gap("dew point temperature", 8767, 3),)
    assert series.hourly.dew_point[[-1, 0]] == pytest.approx([23.0, 23.0])


def _long_gap(rows: list[list[str]]) -> None:
    for row in rows[100:107]:
        row[6] = "99.9"


def _word(rows: list[list[str]]) -> None:
    rows[5][9] = "high"


def _too_hot(rows: list[list[str]]) -> None:
    rows[6][6] = "85.0"


def _nothing(rows: list[list[str]]) -> None:
    for row in rows:
        row[7] = "99.9"


def _not_a_number(rows: list[list[str]]) -> None:
    rows[7][6] = "nan"


def _lost_hour(rows: list[list[str]]) -> None:
    del rows[50]
    rows.append(rows[-1])


def _short(rows: list[list[str]]) -> None:
    del rows[8000:]


def _narrow(rows: list[list[str]]) -> None:
    del rows[10][9:]


def _from_july(rows: list[list[str]]) -> None:
    rows[:] = rows[4344:] + rows[:4344]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_long_gap, r"line 109: field dry bulb temperature: 7 hours without a value"),
        (_word, r"line 14: field atmospheric station pressure: 'high' is not between"),
        (_too_hot, r"line 15: field dry bulb temperature: '85.0' is not between"),
        (_nothing, r"field dew point temperature: no hour has a value"),
        (_not_a_number, r"line 16: field dry bulb temperature: 'nan' is not between"),
        (_lost_hour, r"line 59: field hour: '4' where 3 follows"),
        (_short, r"8000 hours after the 8 lines of headings; a year of 8760"),
        (_narrow, r"line 19: 9 columns where at least 14 are needed"),
        (_from_july, r"line 9: fields month and day: '7/1'; a year from 1 January"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_field(
    tmp_path: Path, change: Change, told: str
) -> None:
    path = written(tmp_path, change)
    with pytest.raises(WeatherError, match=told) as refused:
        WeatherSeries.from_epw(path)
    assert str(path) in str(refused.value)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text("plant: {key: x}\n")
    with pytest.raises(WeatherError, match=r"line 1: LOCATION is needed; this is not"):
        WeatherSeries.from_epw(path)


def test_an_empty_a_binary_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weather.epw"
    with pytest.raises(WeatherError, match=r"cannot be read: No such file"):
        WeatherSeries.from_epw(path)
    for content in (b"", b"\x00\xff" * 999):
        path.write_bytes(content)
        with pytest.raises(WeatherError, match="not an EPW file"):
            WeatherSeries.from_epw(path)
    path.write_text("LOCATION,\n")
    with pytest.raises(WeatherError, match="0 hours after"):
        WeatherSeries.from_epw(path)
