"""The product's story, told by the real programs as a person would start it."""

import os
from pathlib import Path
import re
import signal
import subprocess

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = 11
# Those of this tree and these stories: others may be told at the same time.
FOLDERS = tuple(
    bytes(ROOT / ".demo" / name) + b"/" for name in ("two_chillers", "show")
)


def test_the_whole_story_happens_and_leaves_no_process_behind() -> None:
    before = _programs()
    told = subprocess.run(
        [ROOT / "scripts" / "demo", "--check"],
        capture_output=True,
        text=True,
        timeout=780,
        check=False,
    )
    print(told.stdout, told.stderr)
    table = told.stdout.split("all of it runs")[-1]
    verdicts = re.findall(r"^(ok|FAILED)\s+[\d+]", table, re.MULTILINE)
    assert told.returncode == 0
    # Each chapter is shown twice: when it ends, and in the table.
    assert verdicts == ["ok"] * 2 * CHAPTERS
    assert _programs() <= before


def test_five_thousand_points_live_obey_and_recover() -> None:
    told = subprocess.run(
        [ROOT / "scripts" / "demo", "--check", "--points", "5000"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    print(told.stdout, told.stderr)
    verdicts = {
        chapter: verdict
        for verdict, chapter in re.findall(
            r"^(ok|FAILED)\s+(\d)", told.stdout, re.MULTILINE
        )
    }
    # How fast it answers is for a person to judge on a machine of its own.
    assert {chapter: verdicts.get(chapter) for chapter in "134"} == dict.fromkeys(
        "134", "ok"
    )


def test_the_demonstration_shows_a_line_until_it_is_stopped() -> None:
    before = _programs()
    with subprocess.Popen(
        [ROOT / "scripts" / "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demonstration:
        assert demonstration.stdout is not None
        shown = []
        for line in demonstration.stdout:
            shown.append(line)
            if re.search(r"Weekday │ stage \d .* kW/RT │ supply", line):
                break
        os.killpg(demonstration.pid, signal.SIGINT)
        shown += demonstration.stdout.readlines()
        assert demonstration.wait(60) == 0, "".join(shown)
    assert any("password" in line for line in shown)
    assert "http://127.0.0.1:" in "".join(shown)
    assert _programs() <= before


def _programs() -> set[str]:
    """Return the process ids of everything that the demonstration starts."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if any(name in command for name in FOLDERS):
            found.add(process.name)
    return found
