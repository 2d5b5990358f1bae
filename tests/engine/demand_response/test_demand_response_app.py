"""Demand response in a real AppDaemon, with a real utility's server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import time
from typing import Any

from appdaemon.appdaemon import AppDaemon
from house import House, running_apps
from shed_site import CIRCUITS, METER, UTILITY, Load, baseline, site_data
from utility_server import PATH, Vtn, free_port, vtn

from tests.waiting import eventually

LONG = 90.0
SOURCE = "demand_response:plant"


def utility(port: int) -> dict[str, Any]:
    return UTILITY | {"url": f"http://127.0.0.1:{port}{PATH}"}


class Place(House):
    """A house whose meter answers to what is commanded, and that settles."""

    load: Load

    @property
    def reported(self) -> dict[str, Any]:
        return json.loads(self.of("report_demand_response")[-1]["report"])

    @property
    def actions(self) -> list[str]:
        return [
            action["event"]
            for data in self.of("report_demand_response")
            for action in json.loads(data["report"])["actions"]
        ]

    @property
    def off(self) -> set[str]:
        return {
            name
            for name in CIRCUITS
            if self.load.commands.get(f"switch.{name}_run_command") is False
        }

    async def answer(self) -> None:
        """Do what Home Assistant and the plant do, over and over."""
        seen = 0
        while True:
            calls, seen = self.calls[seen:], len(self.calls)
            for action, data in calls:
                self.load.call(action, data)
                if action == "report_demand_response":
                    await self._settle(json.loads(data["report"]))
            await self.put(self.load.states())
            await asyncio.sleep(0.05)

    async def _settle(self, report: dict[str, Any]) -> None:
        assert self.demand_response is not None
        known = self.demand_response["baselines"]
        new = {item["key"]: baseline(item["begins"]) for item in report["events"]}
        if new.keys() - known.keys():
            known |= new
            self.demand_response["revision"] = str(len(known) + 1)
            await self.say_demand_response_changed()


@asynccontextmanager
async def running(place: Place, folder: Path) -> AsyncIterator[AppDaemon]:
    place.load = Load()
    place.states = place.load.states()
    async with running_apps(place, folder) as daemon:
        answering = asyncio.create_task(place.answer())
        try:
            yield daemon
        finally:
            answering.cancel()


def soon(server: Vtn, name: str, *, after: float, lasts: float, level: int = 2) -> None:
    server.tell(event=name, start=time.time() + after, duration=lasts, level=level)


async def test_event_is_kept_answered_shed_for_and_given_back(tmp_path: Path) -> None:
    port = free_port()
    data = site_data(
        utility(port), poll=0.5, settings={"shedding": {"release_interval": 0.5}}
    )
    place = Place(demand_response=data)
    async with vtn(port) as server, running(place, tmp_path):
        await eventually(lambda: server.was_told(heard="registered"))
        soon(server, "e1", after=8, lasts=25)
        await eventually(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        kept = json.loads(place.of("keep_events")[-1]["book"])
        assert kept[0]["event"]["id"] == "e1"
        await eventually(lambda: place.of("report_demand_response"))
        await eventually(lambda: place.reported["state"] == "shedding", LONG)
        await eventually(lambda: place.load.power <= 410.0)
        assert all(
            (call["source"], call["priority"]) == (SOURCE, 50)
            for call in place.of("command")
        )
        await eventually(lambda: server.was_told(heard="report", resource="power"))
        await eventually(lambda: not place.load.commands, LONG)
        await eventually(lambda: place.reported["state"] == "idle")
        assert place.of("release", source=SOURCE)
        assert [item for item in place.actions if item.startswith("event_")] == [
            "event_received",
            "event_begun",
            "event_completed",
        ]


async def test_restart_in_mid_event_moves_nothing(tmp_path: Path) -> None:
    port = free_port()
    place = Place(demand_response=site_data(utility(port), poll=0.5))
    async with vtn(port) as server, running(place, tmp_path) as daemon:
        await eventually(lambda: server.was_told(heard="registered"))
        soon(server, "e1", after=4, lasts=300)
        await eventually(lambda: place.off and place.load.power <= 410.0, LONG)
        await eventually(lambda: place.reported["resume"]["shedding"]["uses"])
        off, calls = place.off, len(place.calls)
        await daemon.app_management.restart_app("demand_response")
        await eventually(
            lambda: [
                data
                for action, data in place.calls[calls:]
                if action == "report_demand_response"
            ]
        )
        await eventually(
            lambda: "command" in {action for action, _ in place.calls[calls:]}
        )
        assert place.off == off
        assert not [data for action, data in place.calls[calls:] if action == "release"]
        assert place.actions.count("event_begun") == 1
        await eventually(lambda: server.all(heard="registered")[1:])


async def test_meter_that_falls_silent_in_an_event_holds_what_is_shed(
    tmp_path: Path,
) -> None:
    port = free_port()
    place = Place(demand_response=site_data(utility(port), poll=0.5))
    async with vtn(port) as server, running(place, tmp_path):
        await eventually(lambda: server.was_told(heard="registered"))
        soon(server, "e1", after=4, lasts=600)
        await eventually(lambda: place.off and place.load.power <= 410.0, LONG)
        await eventually(lambda: place.reported["state"] == "shedding", LONG)
        place.load.meter_works = False
        await eventually(
            lambda: METER in (place.reported["attributes"]["message"] or ""), LONG
        )
        off, calls = place.off, len(place.calls)
        reports = len(place.of("report_demand_response"))
        await eventually(
            lambda: len(place.of("report_demand_response")) > reports, LONG
        )
        assert place.off == off
        assert place.reported["state"] == "shedding"
        assert not [data for action, data in place.calls[calls:] if action == "release"]
        place.load.meter_works = True
        await eventually(
            lambda: METER not in (place.reported["attributes"]["message"] or ""), LONG
        )
        assert place.off


async def test_events_go_on_by_the_clock_when_the_server_is_dead(
    tmp_path: Path,
) -> None:
    port = free_port()
    data = site_data(
        utility(port), poll=0.5, settings={"shedding": {"release_interval": 0.5}}
    )
    place = Place(demand_response=data)
    async with running(place, tmp_path):
        async with vtn(port) as server:
            await eventually(lambda: server.was_told(heard="registered"))
            soon(server, "e1", after=8, lasts=20)
            await eventually(lambda: server.was_told(heard="opt", opt="optIn"))
        await eventually(lambda: place.off, LONG)
        await eventually(lambda: not place.load.commands, LONG)
        await eventually(lambda: "event_completed" in place.actions)
        await eventually(lambda: place.reported["connections"][0]["stands"] == "lost")


async def test_figures_that_wait_survive_a_restart_of_the_app(tmp_path: Path) -> None:
    port = free_port()
    place = Place(demand_response=site_data(utility(port), poll=0.5))
    async with running(place, tmp_path) as daemon:
        async with vtn(port) as server:
            await eventually(lambda: server.was_told(heard="report", resource="power"))
        await eventually(lambda: place.reported["connections"][0]["waiting"] >= 5)
        await daemon.app_management.restart_app("demand_response")
        stopped = time.time()
        await eventually(lambda: place.reported["connections"][0]["waiting"] >= 5)
        assert place.of("keep_reports", connection=UTILITY["id"])
        async with vtn(port) as server:
            await eventually(lambda: server.was_told(heard="report", resource="power"))
            await eventually(
                lambda: [
                    item
                    for item in server.all(heard="report", resource="power")
                    if item["at"] < stopped
                ],
                LONG,
            )


async def test_plant_without_utilities_reports_that_it_is_there(tmp_path: Path) -> None:
    place = Place(demand_response=site_data())
    async with running(place, tmp_path):
        await eventually(lambda: place.of("report_demand_response"))
        assert place.reported["state"] == "idle"
        assert not place.of("command")
