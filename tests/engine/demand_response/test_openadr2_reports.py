"""What a server wants is read when it is due and waits until the server has it."""

from chiller_control.openadr2_reports import (
    MOST_A_MESSAGE,
    MOST_ROWS,
    ReportDesk,
    Status,
    StatusTelemetry,
    Telemetry,
)

START = 1_800_000_000.0


def desk(value: float | None = 7.0) -> ReportDesk:
    return ReportDesk(
        (Telemetry("meter", lambda: value), Telemetry("lost", lambda: None)),
        (StatusTelemetry("plant", lambda: Status(True, False)),),
    )


def passed(reports: ReportDesk, since: float, seconds: int) -> float:
    for second in range(seconds):
        reports.sample(since + second)
    return since + seconds


def test_a_figure_is_read_at_once_and_then_on_the_clocks_marks() -> None:
    reports = desk()
    assert reports.want("r1", "s", ["meter"], 60.0, 60.0, START + 10)
    passed(reports, START + 10, 180)
    [(_, rows)] = reports.due(START + 190)
    assert [row.at - START for row in rows] == [10, 60, 120, 180]


def test_what_is_not_known_is_not_reported() -> None:
    reports = desk()
    assert reports.want("r1", "s", ["lost"], 1.0, 1.0, START)
    passed(reports, START, 10)
    assert reports.due(START + 10) == []
    assert not reports.want("r2", "s", ["nobody"], 1.0, 1.0, START)


def test_messages_come_as_often_as_they_are_wanted() -> None:
    reports = desk()
    reports.want("r1", "s", ["meter"], 10.0, 60.0, START)
    now = passed(reports, START, 1)
    [(request, rows)] = reports.due(now)
    reports.sent(request, len(rows), now)
    now = passed(reports, now, 50)
    assert reports.due(now) == []
    now = passed(reports, now, 10)
    [(_, rows)] = reports.due(now)
    assert len(rows) == 6


def test_one_report_is_given_once() -> None:
    reports = desk()
    reports.want("r1", "s", ["meter"], 0.0, 0.0, START)
    passed(reports, START, 30)
    [(request, rows)] = reports.due(START + 30)
    assert len(rows) == 1
    reports.sent(request, 1, START + 30)
    passed(reports, START + 30, 30)
    assert reports.due(START + 60) == []


def test_a_long_outage_drops_the_oldest_and_counts_it() -> None:
    reports = desk()
    reports.want("r1", "s", ["meter"], 1.0, 1.0, START)
    now = passed(reports, START, MOST_ROWS + 25)
    assert reports.dropped == 25
    assert reports.waiting == MOST_ROWS
    [(request, rows)] = reports.due(now)
    assert len(rows) == MOST_A_MESSAGE
    assert rows[0].at == START + 25
    reports.sent(request, len(rows), now)
    [(_, rows)] = reports.due(now)
    assert rows[0].at == START + 25 + MOST_A_MESSAGE


def test_what_waits_goes_on_under_the_name_that_a_new_registration_gives() -> None:
    reports = desk()
    reports.want("r1", "s", ["meter"], 1.0, 1.0, START)
    reports.begin_anew()
    now = passed(reports, START, 5)
    assert reports.due(now) == []
    reports.want("r2", "s", ["meter"], 1.0, 1.0, now)
    [(request, rows)] = reports.due(now)
    assert (request.id, len(rows)) == ("r2", 5)
    assert reports.waiting == 5
