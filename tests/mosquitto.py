"""A real Mosquitto on loopback, and a listener that is not Home Assistant's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import tempfile
from typing import Any

import paho.mqtt.client as paho

from tests.ports import tcp_port
from tests.programs import program
from tests.waiting import eventually


class Broker:
    """One broker; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        """Prepare; nothing runs yet."""
        self.port = tcp_port()
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and return when it answers."""
        found = program("mosquitto")
        self._process = await asyncio.create_subprocess_exec(
            str(found.path),
            "-c",
            str(self._settings),
            env=found.env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(self._answers)

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "Mosquitto ended at once"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def stop(self) -> None:
        """End it, as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def broker() -> AsyncIterator[Broker]:
    """Run a broker for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        made = Broker(Path(folder))
        await made.start()
        try:
            yield made
        finally:
            await made.stop()


class HeadEnd:
    """Whoever listens to what a plant tells."""

    def __init__(self, port: int, topic: str) -> None:
        """Listen; after an outage too."""
        self.heard: list[tuple[str, dict[str, Any], int, bool]] = []
        """Topic, contents, quality of service and whether it was kept by the broker."""
        self.listens = False
        self._topic = topic
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311
        )
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        # Sooner than whom it listens to: what they say first is not to be missed.
        self._client.reconnect_delay_set(0.1, 0.1)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, *_: object) -> None:
        self.listens = True

    def _on_disconnect(self, *_: object) -> None:
        self.listens = False

    def _on_message(self, *found: Any) -> None:
        message = found[2]
        self.heard.append(
            (
                message.topic,
                json.loads(message.payload),
                message.qos,
                bool(message.retain),
            )
        )

    def of(self, topic: str) -> list[dict[str, Any]]:
        """Return what came under a topic."""
        return [contents for name, contents, _, _ in self.heard if name == topic]

    def say(
        self, topic: str, contents: dict[str, Any], *, retain: bool = False
    ) -> None:
        """Tell something; the broker has it when this returns."""
        told = self._client.publish(topic, json.dumps(contents), qos=1, retain=retain)
        told.wait_for_publish(10.0)

    def close(self) -> None:
        """Listen no more."""
        self._client.disconnect()
        self._client.loop_stop()


@asynccontextmanager
async def head_end(port: int, topic: str) -> AsyncIterator[HeadEnd]:
    """Listen for as long as the block lasts; begins when the broker knows."""
    made = HeadEnd(port, topic)
    try:
        await eventually(lambda: made.listens)
        yield made
    finally:
        await asyncio.to_thread(made.close)
