"""Two utilities ask for less, and the real programs give it and write down what they gave."""

from pathlib import Path
import re
import subprocess

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = 19

_SECONDS = 2400


@pytest.mark.timeout(_SECONDS + 60)
def test_events_of_two_utilities_are_played_held_and_settled() -> None:
    told = subprocess.run(
        [ROOT / "scripts" / "demo", "--event"],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    print(told.stdout, told.stderr)
    table = told.stdout.split("all of it runs")[-1]
    verdicts = re.findall(r"^(ok|FAILED)\s+[\d+]", table, re.MULTILINE)
    assert told.returncode == 0
    assert verdicts == ["ok"] * 2 * CHAPTERS
    assert re.search(r"^  Asked by\s+Utility\s+Aggregator$", told.stdout, re.MULTILINE)
    assert re.search(
        r"^  Achieved\s+\d+\.\d kW\s+\d+\.\d kW$", told.stdout, re.MULTILINE
    )
