"""The site with all eight control types, as `scripts/demo --site kspo` runs it."""

from pathlib import Path
import re
import subprocess

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = 10


def test_the_site_runs_by_its_own_nineteen_automations() -> None:
    told = subprocess.run(
        [ROOT / "scripts" / "demo", "--site", "kspo", "--check"],
        capture_output=True,
        text=True,
        timeout=660,
        check=False,
    )
    print(told.stdout, told.stderr)
    table = told.stdout.split("all of it runs")[-1]
    verdicts = re.findall(r"^(ok|FAILED)\s+[\d+]", table, re.MULTILINE)
    assert told.returncode == 0
    # Each chapter is shown twice: when it ends, and in the table.
    assert verdicts == ["ok"] * 2 * CHAPTERS
