"""Commands pass before polls, and a turn is never lost."""

import asyncio

import pytest

from custom_components.chiller_plant.drivers.lanes import Lane, LaneFull, Lanes


async def test_command_that_came_last_goes_first() -> None:
    lanes, order = Lanes(), []

    async def go(lane: Lane, name: str) -> None:
        async with lanes.turn(lane):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(
        go(Lane.POLL, "poll on the wire"),
        go(Lane.POLL, "second poll"),
        go(Lane.POLL, "third poll"),
        go(Lane.COMMAND, "start"),
    )

    assert order == ["poll on the wire", "start", "second poll", "third poll"]


async def test_no_more_than_the_capacity_at_a_time() -> None:
    lanes, running, most = Lanes(3), 0, 0

    async def go() -> None:
        nonlocal running, most
        async with lanes.turn(Lane.POLL):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(go() for _ in range(20)))

    assert most == 3


async def test_who_gives_up_waiting_loses_nobody_a_turn() -> None:
    lanes = Lanes()
    await lanes.acquire(Lane.POLL)
    waiting = [asyncio.create_task(lanes.acquire(Lane.COMMAND)) for _ in range(3)]
    await asyncio.sleep(0)

    waiting[0].cancel()
    lanes.release()
    # Its turn and the cancellation arrive together.
    waiting[1].cancel()
    await asyncio.wait(waiting, timeout=1)

    assert [task.cancelled() for task in waiting] == [True, True, False]
    lanes.release()
    await asyncio.wait_for(lanes.acquire(Lane.POLL), 1)


async def test_a_lane_has_an_end() -> None:
    lanes = Lanes(most_waiting=2)
    await lanes.acquire(Lane.POLL)
    waiting = [asyncio.create_task(lanes.acquire(Lane.COMMAND)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(LaneFull):
        await lanes.acquire(Lane.COMMAND)

    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
