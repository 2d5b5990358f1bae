"""A server that comes and goes gets the plant back, and every figure once."""

import asyncio
import time

from chiller_control.openadr2_ven import Status, StatusTelemetry
from utility_server import free_port, plant, until, vtn

LATER = 600.0


async def test_a_server_that_comes_and_goes_is_followed_and_the_event_kept() -> None:
    port = free_port()
    async with plant(port) as site:
        for number in range(4):
            async with vtn(port) as server:
                await until(lambda: server.was_told(heard="registered"))
                if number == 0:
                    server.tell(
                        event="e1", start=time.time() + LATER, duration=3600, level=1
                    )
                    await until(
                        lambda: server.was_told(heard="opt", event="e1", opt="optIn")
                    )
                await asyncio.sleep(1.5)
        assert site.happened == ["received"]
        assert site.ven.book.status("utility:e1", time.time()) == "near"
        async with vtn(port) as server:
            await until(lambda: server.was_told(heard="report", resource="meter"))
            await until(lambda: site.ven.health.stands == "registered")


async def test_a_server_that_forgets_us_registers_us_again() -> None:
    port = free_port()
    async with vtn(port, remembers=True) as server, plant(port) as site:
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(forget=True)
        await until(lambda: len(server.all(heard="registered")) == 2)
        await until(lambda: site.ven.health.registrations == 2)
        server.tell(event="e1", start=time.time() + LATER, duration=3600, level=1)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))


async def test_figures_of_an_outage_come_when_the_server_is_back() -> None:
    port = free_port()
    read: list[float] = []

    def meter() -> float:
        read.append(time.time())
        return float(len(read))

    async with plant(port, meter=meter) as site:
        async with vtn(port) as server:
            await until(lambda: server.was_told(heard="report", resource="meter"))
        gone = time.time()
        await until(lambda: site.ven.health.waiting >= 5)
        async with vtn(port) as server:
            await until(
                lambda: (
                    len(
                        [
                            item
                            for item in server.all(heard="report", resource="meter")
                            if item["at"] > gone
                        ]
                    )
                    >= 8
                )
            )
            values = [item["value"] for item in server.all(heard="report")]
        # Each figure once, in the order in which they were read, with its own time.
        assert values == sorted(set(values))
        times = [item["at"] for item in server.all(heard="report")]
        assert times == sorted(times)
        assert times[0] < gone + 3.0
        assert site.ven.health.dropped == 0


async def test_whether_the_plant_is_there_and_in_whose_hands_is_reported() -> None:
    port = free_port()
    stands = [Status(online=True, override=False)]
    status = (StatusTelemetry("plant", lambda: stands[0]),)
    async with vtn(port) as server, plant(port, status=status):
        await until(
            lambda: server.was_told(
                heard="status", resource="plant", online=True, override=False
            )
        )
        stands[0] = Status(online=True, override=True)
        await until(
            lambda: server.was_told(heard="status", resource="plant", override=True)
        )
        # Figures go on beside it.
        await until(lambda: server.was_told(heard="report", resource="meter"))
