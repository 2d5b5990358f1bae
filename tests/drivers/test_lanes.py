"""Commands pass before polls, and a turn is never lost."""

import asyncio

import pytest

from custom_components.chiller_plant.drivers.lanes import Lane, LaneFull, Lanes, Stem


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


async def test_who_waits_for_the_stem_lets_a_command_of_the_same_device_pass() -> None:
    stem = Stem(1)
    busy, device = Lanes(stem=stem), Lanes(stem=stem)
    await busy.acquire(Lane.POLL)
    order: list[str] = []

    async def go(lane: Lane, name: str) -> None:
        async with device.turn(lane):
            order.append(name)

    waiting = [asyncio.create_task(go(Lane.POLL, "poll"))]
    await asyncio.sleep(0)
    waiting.append(asyncio.create_task(go(Lane.COMMAND, "start")))
    await asyncio.sleep(0)
    busy.release()
    await asyncio.gather(*waiting)

    assert order == ["start", "poll"]


async def test_polls_leave_room_for_commands() -> None:
    stem = Stem(3, kept_for_commands=1)
    devices = [Lanes(stem=stem) for _ in range(4)]
    for device in devices[:2]:
        await asyncio.wait_for(device.acquire(Lane.POLL), 1)

    third = asyncio.create_task(devices[2].acquire(Lane.POLL))
    await asyncio.sleep(0)
    await asyncio.wait_for(devices[3].acquire(Lane.COMMAND), 1)
    assert not third.done()

    devices[3].release()
    await asyncio.sleep(0)
    assert not third.done()
    devices[0].release()
    await asyncio.wait_for(third, 1)


async def test_devices_take_turns_and_none_takes_more_than_its_own() -> None:
    stem = Stem(2)
    devices = [Lanes(2, stem=stem) for _ in range(3)]
    running, most = {0: 0, 1: 0, 2: 0}, 0
    order: list[int] = []

    async def go(number: int) -> None:
        nonlocal most
        async with devices[number].turn(Lane.POLL):
            order.append(number)
            running[number] += 1
            most = max(most, sum(running.values()))
            await asyncio.sleep(0)
            running[number] -= 1

    await asyncio.gather(*(go(number) for number in range(3) for _ in range(10)))

    assert most == 2
    assert {order.count(number) for number in range(3)} == {10}
    # The last device does not wait for all of the first.
    assert 2 in order[:8]


async def test_a_gate_that_is_widened_lets_the_next_through() -> None:
    lanes = Lanes()
    await lanes.acquire(Lane.POLL)
    second = asyncio.create_task(lanes.acquire(Lane.POLL))
    await asyncio.sleep(0)

    lanes.widen(2)

    await asyncio.wait_for(second, 1)
    assert lanes.waiting == 0
