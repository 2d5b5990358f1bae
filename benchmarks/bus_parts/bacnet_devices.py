"""BACnet devices of rusty-bacnet, a stack that is not ours, as a program.

Values move as those of a plant do: a little, and each at its own moment.
"""

import asyncio
import random
from typing import Any

import rusty_bacnet as rb

from .child import serve

_KINDS = {
    "analog-input": rb.ObjectType.ANALOG_INPUT,
    "analog-output": rb.ObjectType.ANALOG_OUTPUT,
    "analog-value": rb.ObjectType.ANALOG_VALUE,
    "binary-input": rb.ObjectType.BINARY_INPUT,
    "binary-output": rb.ObjectType.BINARY_OUTPUT,
    "binary-value": rb.ObjectType.BINARY_VALUE,
}
_DEGREES_CELSIUS = 62

type Place = tuple[rb.BACnetServer, str, int]


class _Devices:
    """What runs here."""

    def __init__(self) -> None:
        self._servers: list[rb.BACnetServer] = []
        self._inputs: list[tuple[rb.BACnetServer, int, float]] = []
        self._moving: asyncio.Task[None] | None = None

    async def begin(self, devices: list[dict[str, Any]]) -> int:
        """Start devices: `host`, `port`, `instance`, `objects` as [type, instance, value]."""
        for device in devices:
            server = rb.BACnetServer(
                device["instance"],
                f"device {device['instance']}",
                interface=device["host"],
                port=device["port"],
                broadcast_address="127.255.255.255",
                share_port_by_address=True,
                **device.get("options", {}),
            )
            for kind, instance, value in device["objects"]:
                name = f"{kind} {instance}"
                match kind:
                    case "analog-input":
                        server.add_analog_input(instance, name, _DEGREES_CELSIUS, value)
                        self._inputs.append((server, instance, value))
                    case "analog-output" | "analog-value":
                        add = getattr(server, f"add_{kind.replace('-', '_')}")
                        add(instance, name, _DEGREES_CELSIUS)
                    case _:
                        getattr(server, f"add_{kind.replace('-', '_')}")(instance, name)
            await server.start()
            self._servers.append(server)
            for kind, instance, value in device["objects"]:
                if kind in ("analog-output", "analog-value") and value:
                    # The lowest slot: whoever commands it goes before.
                    await server.write_property_local(
                        rb.ObjectIdentifier(_KINDS[kind], instance),
                        rb.PropertyIdentifier.PRESENT_VALUE,
                        rb.PropertyValue.real(value),
                        16,
                        source_object=None,
                    )
        return len(self._servers)

    async def measure(self, instance: int, value: float, device: int = 0) -> None:
        """Let an analog input of a device measure something."""
        await self._servers[device].set_present_value_local(
            rb.ObjectIdentifier(_KINDS["analog-input"], instance),
            rb.PropertyValue.real(value),
        )

    async def move(self, seconds: float, share: float, step: float) -> None:
        """Let `share` of the analog inputs move by up to `step` each `seconds`."""
        self._moving = asyncio.create_task(self._move(seconds, share, step))

    async def _move(self, seconds: float, share: float, step: float) -> None:
        chance = random.Random(1)
        now = asyncio.get_running_loop().time
        moving = self._inputs[: round(len(self._inputs) * share)]
        while moving:
            began = now()
            for number, (server, instance, value) in enumerate(moving):
                await server.set_present_value_local(
                    rb.ObjectIdentifier(_KINDS["analog-input"], instance),
                    rb.PropertyValue.real(value + chance.uniform(-step, step)),
                )
                if number % 10 == 0:
                    due = began + seconds * number / len(moving)
                    await asyncio.sleep(max(due - now(), 0))
            await asyncio.sleep(max(began + seconds - now(), 0.01))

    async def reports(self) -> list[dict[str, Any]]:
        """Return how many objects are reported by change of value, of each device."""
        return [
            {"active": (await server.cov_counters())["subscriptions_active"]}
            for server in self._servers
        ]

    async def stop(self) -> None:
        """Stop all devices, without a word."""
        for server in self._servers:
            await server.stop()


def main() -> None:
    """Serve until the input ends."""
    devices = _Devices()
    serve(
        {
            "begin": devices.begin,
            "measure": devices.measure,
            "move": devices.move,
            "reports": devices.reports,
            "stop": devices.stop,
        }
    )


if __name__ == "__main__":
    main()
