"""The product's story, told by the real programs as a person would start it."""

from pathlib import Path
import re
import subprocess

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = 11


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
    verdicts = re.findall(r"^(ok|FAILED)\s+\d", table, re.MULTILINE)
    assert told.returncode == 0
    # Each chapter is shown twice: when it ends, and in the table.
    assert verdicts == ["ok"] * 2 * CHAPTERS
    assert _programs() <= before


def _programs() -> set[str]:
    """Return the process ids of everything that the demonstration starts."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b".demo/check" in command:
            found.add(process.name)
    return found
