"""How figures are shown: in a terminal, and on the page of the benchmarks."""

from collections.abc import Sequence

from benchmarks.bus_parts.child import REPOSITORY
from benchmarks.bus_parts.result import Figure

PAGE = REPOSITORY / "docs" / "benchmarks.md"
_HEADS = ("figure", "value", "bound", "verdict", "beside it, in the same run")


def number(figure: Figure) -> str:
    """Write the value with as many digits as mean something."""
    value = figure.value
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {figure.unit}".strip()


def bound(figure: Figure) -> str:
    """Write what the value must be."""
    if figure.bound is None:
        return "–"
    sign = "≥" if figure.better == "higher" else "≤"
    return f"{sign} {figure.bound:,g}"


def verdict(figure: Figure) -> str:
    """Write whether it is."""
    return {True: "kept", False: "NOT kept", None: "–"}[figure.kept]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures in columns."""
    rows = [
        _HEADS,
        *((f.key, number(f), bound(f), verdict(f), f.beside) for f in figures),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(widths[i]) for i, cell in enumerate(row[:4])), row[4]])
        for row in rows
    )


def write_rows(name: str, machine: str, figures: Sequence[Figure]) -> None:
    """Put rows between the marks of the benchmark `name`; the others stay."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    page = PAGE.read_text(encoding="utf-8")
    head, found, rest = page.partition(begin)
    old, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGE.name} has no marks for the table of {name}")
    rows = {
        line.split("`")[1]: line for line in old.splitlines() if line.startswith("| `")
    }
    for figure in figures:
        rows[figure.key] = (
            f"| `{figure.key}` | {number(figure)} | {bound(figure)} | "
            f"{verdict(figure)} | {figure.beside} |"
        )
    lines = [
        f"Measured on {machine}.",
        "",
        f"| {' | '.join(_HEADS)} |",
        "|---|---|---|---|---|",
        *rows.values(),
        "",
    ]
    PAGE.write_text(head + begin + "\n".join(lines) + end + tail, encoding="utf-8")
