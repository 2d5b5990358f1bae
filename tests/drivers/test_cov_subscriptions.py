"""When a device is asked to report again: renewals, refusals, doubts."""

from itertools import count

import pytest

from custom_components.chiller_plant.drivers.bacnet_read_multiple import Place
from custom_components.chiller_plant.drivers.cov_subscriptions import (
    Refusal,
    Subscriptions,
)

LIFETIME = 600.0
SENSOR: Place = (0, 1)
SWITCH: Place = (3, 1)


def subscriptions(*names: Place, spread: float = 0.5) -> Subscriptions:
    """Want these of a device that answers, at the time 0."""
    found = Subscriptions(LIFETIME, lambda: spread)
    found.want(0.0, dict.fromkeys(names or (SENSOR,), 0))
    found.answered(0.0)
    return found


def ask(book: Subscriptions, now: float) -> list[Place]:
    """Grant all that is due; return what it was."""
    asked = []
    for _ in range(10_000):
        if (name := book.take_due(now)) is None:
            return asked
        book.granted(now, name)
        asked.append(name)
    raise AssertionError("it asks without end")


def live(book: Subscriptions, now: float) -> set[Place]:
    return {name for name, _ in book.live(now)}


def reported(value: float) -> Subscriptions:
    """Return a sensor that is reported, read and was last reported so at 10 s."""
    book = subscriptions()
    ask(book, 0.0)
    book.read(1.0, 0.5, SENSOR, value)
    book.reported(10.0, SENSOR, value, 590.0)
    return book


def test_nothing_is_asked_of_a_device_that_has_not_answered_yet() -> None:
    book = Subscriptions(LIFETIME)
    book.want(0.0, {SENSOR: 0})
    assert book.take_due(1e6) is None
    assert book.next_due() is None
    book.answered(5.0)
    assert ask(book, 5.0) == [SENSOR]


def test_what_is_needed_first_is_asked_first() -> None:
    book = Subscriptions(LIFETIME)
    book.want(0.0, {SENSOR: 1, SWITCH: 0})
    book.answered(0.0)
    assert ask(book, 0.0) == [SWITCH, SENSOR]


def test_a_point_is_watched_only_after_it_was_read() -> None:
    book = subscriptions()
    ask(book, 10.0)
    assert not live(book, 10.0)
    book.read(11.0, 9.0, SENSOR, 7.0)
    assert not live(book, 11.0), "that reading began before the reports did"
    book.read(12.0, 10.5, SENSOR, 7.0)
    assert live(book, 12.0) == {SENSOR}


def test_renewals_come_long_before_the_end_and_apart_from_each_other() -> None:
    spread = (place % 100 / 99 for place in count())
    names = [(2, instance) for instance in range(1000)]
    book = Subscriptions(LIFETIME, lambda: next(spread))
    book.want(0.0, dict.fromkeys(names, 0))
    book.answered(0.0)
    ask(book, 0.0)
    counts = [len(ask(book, float(second))) for second in range(1, 451)]
    assert sum(counts[:299]) == 0
    assert sum(counts) == 1000
    assert max(counts) <= 20


def test_a_renewal_that_fails_is_tried_again_before_it_is_too_late() -> None:
    book = subscriptions()
    ask(book, 0.0)
    book.read(1.0, 0.5, SENSOR, 7.0)
    tries = 0
    now = 0.0
    while now < LIFETIME:
        due = book.next_due()
        assert due is not None
        now = max(now, due)
        if now < LIFETIME and (name := book.take_due(now)):
            tries += 1
            book.failed(now, name)
    assert 4 <= tries <= 8
    assert not live(book, LIFETIME + 1)
    book.granted(now, SENSOR)
    assert book.read(now + 2, now + 1, SENSOR, 7.0) is False
    assert live(book, now + 2) == {SENSOR}


def test_a_device_that_never_answers_subscriptions_is_left_alone_for_an_hour() -> None:
    names = [(2, instance) for instance in range(100)]
    book = subscriptions(*names)
    now, asked = 0.0, 0
    while now < 1800.0:
        while (name := book.take_due(now)) is not None:
            asked += 1
            book.failed(now, name)
        now += 1.0
    assert asked == 3


def test_a_full_list_leaves_the_rest_to_polling() -> None:
    names = [(2, instance) for instance in range(100)]
    book = subscriptions(*names)
    granted: set[Place] = set()
    refusals = 0
    for second in range(3000):
        now = float(second)
        while (name := book.take_due(now)) is not None:
            if name in granted or len(granted) < 30:
                granted.add(name)
                if book.granted(now, name):
                    book.read(now, now, name, 1.0)
            else:
                refusals += 1
                book.refused(now, name, Refusal.FULL)
    assert live(book, 3000.0) == granted
    assert refusals == 1
    for second in range(3000, 3000 + 3600):
        while (name := book.take_due(float(second))) is not None:
            book.granted(float(second), name)
            book.read(second, second, name, 1.0)
    assert len(live(book, 6600.0)) == 100, "there is room now"


def test_an_object_that_cannot_be_reported_does_not_hold_up_the_others() -> None:
    book = subscriptions(SENSOR, SWITCH)
    for _ in range(2):
        name = book.take_due(0.0)
        assert name is not None
        if name == SENSOR:
            book.refused(0.0, name, Refusal.OBJECT)
        elif book.granted(0.0, name):
            book.read(1.0, 0.5, name, True)
    assert live(book, 1.0) == {SWITCH}
    due = book.next_due()
    assert due is not None
    assert due <= LIFETIME


def test_a_device_that_was_silent_is_asked_for_everything_at_once() -> None:
    book = subscriptions(SENSOR, SWITCH)
    ask(book, 0.0)
    book.read(1.0, 0.5, SENSOR, 7.0)
    book.silent()
    assert not live(book, 2.0)
    assert book.next_due() is None
    book.answered(30.0)
    assert set(ask(book, 30.0)) == {SENSOR, SWITCH}
    assert not live(book, 30.0), "it has to be read again"


def test_a_device_that_often_announces_itself_is_not_asked_each_time() -> None:
    book = subscriptions()
    asked = 0
    for second in range(1, 1201):
        if second % 10 == 0:
            book.announced(float(second))
        asked += len(ask(book, float(second)))
    assert asked <= 1200 / (LIFETIME / 2) + 1


def test_a_switch_that_changed_unreported_is_asked_for_again_with_the_others() -> None:
    book = subscriptions(SENSOR, SWITCH)
    ask(book, 0.0)
    for name, value in ((SENSOR, 7.0), (SWITCH, False)):
        book.read(1.0, 0.5, name, value)
    book.read(320.0, 319.0, SWITCH, True)
    assert SWITCH in live(book, 320.0), "the report may still be on its way"
    assert ask(book, 320.0) == []
    assert ask(book, 325.0)[0] == SWITCH
    assert set(ask(book, 325.0)) == set(), "both were asked for"
    assert not live(book, 325.0)


def test_a_report_that_comes_just_after_the_reading_settles_the_doubt() -> None:
    book = subscriptions(SWITCH)
    ask(book, 0.0)
    book.read(1.0, 0.5, SWITCH, False)
    book.read(100.0, 99.0, SWITCH, True)
    book.reported(101.0, SWITCH, True, 499.0)
    assert ask(book, 110.0) == []
    assert live(book, 110.0) == {SWITCH}


def test_a_reading_from_before_the_report_raises_no_doubt() -> None:
    book = subscriptions(SWITCH)
    ask(book, 0.0)
    book.read(1.0, 0.5, SWITCH, False)
    book.reported(100.0, SWITCH, True, 500.0)
    book.read(102.0, 99.0, SWITCH, False)
    assert ask(book, 110.0) == []


def test_a_number_that_goes_on_differing_unreported_is_asked_for_again() -> None:
    book = reported(7.0)
    assert not book.read(30.0, 30.0, SENSOR, 9.0)
    assert live(book, 30.0) == {SENSOR}
    assert book.read(60.0, 60.0, SENSOR, 9.5)
    assert not live(book, 60.0)
    assert ask(book, 60.0) == [SENSOR]


def test_what_the_cov_increment_swallows_is_not_asked_for_for_ever() -> None:
    # Within ±0.9 of what was reported: an increment of one degree.
    noise = [7.0, 7.3, 6.4, 7.8, 6.2, 7.5, 6.9, 7.85, 6.15, 7.4] * 30
    book = reported(7.0)
    doubts = 0
    for poll, value in enumerate(noise):
        now = 30.0 + 30.0 * poll
        doubts += book.read(now, now, SENSOR, value)
        for name in ask(book, now):
            book.reported(now, name, value, LIFETIME)
            book.read(now, now, name, value)
    assert doubts <= 6


def test_a_device_may_grant_less_time_than_it_was_asked_for() -> None:
    book = subscriptions()
    ask(book, 0.0)
    book.read(1.0, 0.5, SENSOR, 7.0)
    assert book.reported(2.0, SENSOR, 7.0, 60.0)
    due = book.next_due()
    assert due is not None
    assert due <= 50.0
    assert not live(book, 63.0)


def test_what_is_not_wanted_any_more_is_named_once_for_ending() -> None:
    book = subscriptions(SENSOR, SWITCH)
    ask(book, 0.0)
    assert book.want(1.0, {SWITCH: 0}) == [SENSOR]
    assert book.want(2.0, {SWITCH: 0}) == []
    assert not book.is_ours(SENSOR)
    assert book.is_ours(SWITCH)
    assert not book.granted(3.0, SENSOR), "an answer that comes too late"


@pytest.mark.parametrize("remaining", [0.0, 1e9])
def test_an_odd_remaining_time_changes_nothing(remaining: float) -> None:
    book = reported(7.0)
    assert not book.reported(11.0, SENSOR, 8.0, remaining)
    assert live(book, 500.0) == {SENSOR}


def talking(*names: Place, until: float = 20.0) -> Subscriptions:
    """Return what reports the first of these twice a second from 6 s on."""
    book = subscriptions(*names)
    ask(book, 0.0)
    first = names[0]
    for name in names:
        book.read(1.0, 0.5, name, 0.0)
    now = 6.0
    while now <= until:
        book.reported(now, first, now, 590.0)
        now += 0.5
    return book


def test_a_talkative_device_that_goes_still_is_asked_after_a_moment() -> None:
    book = talking(SENSOR)
    assert book.next_due() == pytest.approx(22.0)
    assert book.take_due(21.9) is None
    assert book.take_due(22.0) == SENSOR


def test_a_device_that_went_still_and_does_not_answer_is_gone() -> None:
    book = talking(SENSOR, SWITCH)
    assert book.take_due(22.0) == SENSOR
    assert book.failed(24.5, SENSOR)
    assert live(book, 24.5) == set()
    assert not book.answers
    book.answered(25.0)
    assert set(ask(book, 25.0)) == {SENSOR, SWITCH}


def test_a_device_that_had_forgotten_is_asked_for_everything() -> None:
    book = talking(SENSOR, SWITCH)
    assert book.take_due(22.0) == SENSOR
    book.granted(22.1, SENSOR)
    assert book.reported(22.1, SENSOR, 99.0, 600.0)
    assert set(ask(book, 22.1)) == {SENSOR, SWITCH}


def test_a_plant_at_rest_is_asked_ever_less_often() -> None:
    book = talking(SENSOR)
    asked = []
    for tenth in range(200, 3000):
        now = tenth / 10
        if now < 250 and book.take_due(now) is not None:
            asked.append(now)
            book.granted(now, SENSOR)
            book.reported(now + 0.01, SENSOR, 20.0, 600.0)
    assert asked == pytest.approx([22, 24, 28, 36, 52], abs=0.11)


def test_a_device_that_is_usually_still_is_left_to_the_poll() -> None:
    book = subscriptions()
    ask(book, 0.0)
    book.read(1.0, 0.5, SENSOR, 0.0)
    for now in range(30, 240, 30):
        book.reported(float(now), SENSOR, float(now), 590.0)
    assert book.take_due(299.0) is None
