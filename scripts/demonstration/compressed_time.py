"""A plant file for a plant whose time runs faster than ours.

The simulated plant runs many times faster than real time, so every time that
the plant file gives in seconds is divided by the same factor: fifteen minutes
between two starts of a chiller become thirty seconds at thirty times. The
addresses get ports that are free on this machine.
"""

from dataclasses import asdict
from pathlib import Path
import socket
from typing import Any

import yaml

from custom_components.chiller_plant.plant.model import InterlockSettings
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.plant.roles import PollTier

from .process import free_port

LEASE_SECONDS = 30.0
"""Longer than Home Assistant and AppDaemon need to restart: programs do not
run faster just because the plant does."""

_MOST_STARTS = 60
"""What a plant file may allow in an hour."""

LEAST_PROOF_SECONDS = 20.0
"""A proof takes a few polls, whatever the speed."""


def compress(
    source: Path, target: Path, speed: float, *, polls: bool = True
) -> dict[str, Any]:
    """Write `target` from `source` for a plant at `speed`; return it parsed.

    Without `polls` the bus is read as often as the file says.
    """
    plant: dict[str, Any] = yaml.safe_load(source.read_text())
    if polls:
        parsed = load_plant(source)
        plant["plant"]["poll_interval"] = 1
        for tier in (PollTier.NORMAL, PollTier.SLOW):
            plant["plant"][f"{tier}_poll_interval"] = max(
                1.0, parsed.interval(tier) / speed
            )
    plant["plant"]["command_lease"] = LEASE_SECONDS
    for item in plant["templates"].values():
        item.pop("interlocks", None)
    for key, equipment in load_plant(source).equipment.items():
        plant["equipment"][key]["interlocks"] = _compressed(equipment.interlocks, speed)
    for connection in plant["connections"].values():
        _move_to_free_ports(connection)
    target.write_text(yaml.safe_dump(plant, sort_keys=False))
    return plant


def _compressed(interlocks: InterlockSettings, speed: float) -> dict[str, float]:
    times = {name: value for name, value in asdict(interlocks).items() if value}
    if starts := times.pop("maximum_starts_per_hour", None):
        times["maximum_starts_per_hour"] = min(round(starts * speed), _MOST_STARTS)
    for name in times.keys() - {"maximum_starts_per_hour"}:
        times[name] /= speed
    if "start_proof_time" in times:
        times["start_proof_time"] = max(times["start_proof_time"], LEAST_PROOF_SECONDS)
    return times


def _move_to_free_ports(connection: dict[str, Any]) -> None:
    if connection["protocol"] == "modbus_tcp":
        connection["port"] = free_port(connection["host"])
        return
    # All devices share one port on addresses of their own; the client must use
    # another one, or the stack answers itself.
    device_port = free_port("0.0.0.0", socket.SOCK_DGRAM)
    connection["local_port"] = free_port("0.0.0.0", socket.SOCK_DGRAM)
    for device in connection["devices"].values():
        host = device["address"].split(":")[0]
        device["address"] = f"{host}:{device_port}"
