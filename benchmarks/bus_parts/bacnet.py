"""How fast our driver is beside what it stands on, and how polite to the event loop."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.ports import udp_port

from .child import Child, child
from .result import Figure, Result, middle, paired, spread

_INPUTS = 50
_FIRST_INSTANCE = 3000
_BAC0_POINTS = 400
"""BAC0 reads a point at a time, so that its speed does not depend on how many."""


async def measure(
    folder: Path, *, sizes: tuple[int, ...] = (200, 5000), repeats: int = 15
) -> Result:
    """Compare three clients on the same devices of rusty-bacnet."""
    inputs = min(_INPUTS, *sizes)
    devices = -(-max(sizes) // inputs)
    port = udp_port()
    rows = [
        {
            "host": f"127.0.{1 + number // 200}.{1 + number % 200}",
            "port": port,
            "instance": _FIRST_INSTANCE + number,
            "objects": [["analog-input", i, float(i)] for i in range(1, inputs + 1)]
            + [["analog-value", 1, 0.0]],
        }
        for number in range(devices)
    ]
    addresses = [f"{row['host']}:{port}" for row in rows]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(child("bacnet_devices", folder, devices=rows))
        clients: dict[str, Child] = {}
        for name in ("ours", "bare", "bac0"):
            clients[name] = await stack.enter_async_context(
                child(
                    f"bacnet_{name}",
                    folder,
                    port=udp_port(),
                    addresses=addresses,
                    inputs=inputs,
                    first_instance=_FIRST_INSTANCE,
                )
            )
        return await _compare(clients, sizes, inputs, repeats)


async def _compare(
    clients: dict[str, Child], sizes: tuple[int, ...], inputs: int, repeats: int
) -> Result:
    ours, bare, bac0 = (clients[name] for name in ("ours", "bare", "bac0"))
    result = Result()
    # Everybody has met every device before anything is timed.
    every = -(-max(sizes) // inputs)
    await ours.ask("timed", devices=every)
    await bare.ask("timed", devices=every)
    batch = await ours.ask("batch")
    in_flight = await _best(bare, batch, -(-sizes[0] // inputs))
    ratios, bac0_ratios, stalls, bare_stalls = [], [], [], []
    for size in sizes:
        devices = -(-size // inputs)
        mine: list[dict[str, Any]] = []
        peer: list[dict[str, Any]] = []
        single: list[dict[str, Any]] = []
        few = min(devices, max(1, _BAC0_POINTS // inputs))
        await bac0.ask("timed", devices=few)
        for number in range(repeats):
            mine.append(await ours.ask("timed", devices=devices))
            peer.append(await bare.ask("timed", devices=devices))
            if number % 4 == 0:
                single.append(await bac0.ask("timed", devices=few))
        for name, rows in (("ours", mine), ("bacpypes3", peer), ("bac0", single)):
            short = [row for row in rows if row["points"] not in (size, few * inputs)]
            if short:
                raise RuntimeError(f"{name} brought {short[0]['points']} points")
        speed = [row["points"] / row["seconds"] for row in mine]
        peer_speed = [row["points"] / row["seconds"] for row in peer]
        single_speed = [row["points"] / row["seconds"] for row in single]
        ratios.append(paired(speed, peer_speed))
        bac0_ratios.append(paired(speed[::4], single_speed))
        stalls.append([1000 * row["stall"] for row in mine])
        bare_stalls.append([1000 * row["stall"] for row in peer])
        result.details[f"{size} points"] = {
            "points/s, ours": spread(speed, 0),
            "points/s, bare bacpypes3": spread(peer_speed, 0),
            "points/s, BAC0 read": spread(single_speed, 0),
            "CPU ms a point, ours": spread(
                [1000 * row["busy"] / row["points"] for row in mine], 3
            ),
            "CPU ms a point, bare bacpypes3": spread(
                [1000 * row["busy"] / row["points"] for row in peer], 3
            ),
            "stall ms, ours": spread(stalls[-1]),
            "stall ms, bare bacpypes3": spread(bare_stalls[-1]),
            "sweeps with a full garbage collection, ours": sum(
                row["collection"] > 0 for row in mine
            ),
            "its longest, ms": round(1000 * max(row["collection"] for row in mine), 1),
        }
    result.details["objects in a request"] = batch
    result.details["requests in flight, bare bacpypes3"] = in_flight
    largest = result.details[f"{sizes[-1]} points"]
    result.figures += [
        Figure(
            "bacnet.ratio_to_bacpypes3",
            min(ratios),
            "",
            0.90,
            "higher",
            f"ours {largest['points/s, ours']} points/s, bare bacpypes3 "
            f"{largest['points/s, bare bacpypes3']}",
        ),
        Figure(
            "bacnet.ratio_to_bac0",
            min(bac0_ratios),
            "",
            5.0,
            "higher",
            f"BAC0 `read` {largest['points/s, BAC0 read']} points/s",
        ),
        Figure(
            "bacnet.max_stall_ms",
            max(stalls[-1]),
            "ms",
            15.0,
            "lower",
            f"each sweep's longest: {spread(stalls[-1])}; bare bacpypes3 "
            f"{spread(bare_stalls[-1])}",
        ),
    ]
    return result


async def _best(bare: Child, batch: int, devices: int) -> int:
    """Return how many requests in flight make the peer fastest."""
    seconds: dict[int, float] = {}
    for in_flight in (1, 4, 16):
        await bare.ask("use", batch=batch, in_flight=in_flight)
        seconds[in_flight] = middle(
            [(await bare.ask("timed", devices=devices))["seconds"] for _ in range(3)]
        )
    best = min(seconds, key=lambda number: seconds[number])
    await bare.ask("use", batch=batch, in_flight=best)
    return best
