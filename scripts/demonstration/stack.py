"""Everything that runs in the demonstration, started and stopped together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
import shutil
import time
from typing import Self

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant

from .app_daemon import AppDaemon
from .compressed_time import compress
from .home_assistant import HomeAssistant, make_configuration
from .installation import HOLIDAY, Installation
from .large_plant import large_plant_text
from .local_time import time_zone
from .process import free_port
from .simulated_plant import SimulatedPlant

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
EXAMPLE = EXAMPLES / "two_chillers"


@dataclass(frozen=True, slots=True)
class Site:
    """An example that can be shown."""

    folder: Path
    first_profile: str | None
    """What its first day gets on the calendar; None: what its own calendar says."""
    first_hour: int = 0
    last_hour: int = 24
    """Between which the day at the plant must be, for it to be in use."""


SITES = {
    "two_chillers": Site(EXAMPLE, HOLIDAY),
    "kspo": Site(EXAMPLES / "kspo", None, 9, 19),
}


@dataclass(slots=True)
class Stack:
    """The simulated plant, Home Assistant and AppDaemon of one demonstration."""

    folder: Path
    speed: float = 30.0
    port: int | None = None
    points: int | None = None
    """How many the plant has; None: those of the example."""
    site: str = "two_chillers"
    """Which of `SITES`."""
    start_of_day: str = "07:00"
    say: Callable[[str], None] = print
    time_zone: str = field(init=False)
    plant: Plant = field(init=False)
    simulator: SimulatedPlant = field(init=False)
    home_assistant: HomeAssistant = field(init=False)
    app_daemon: AppDaemon = field(init=False)
    installation: Installation = field(init=False)

    def __post_init__(self) -> None:
        """Lay out a fresh folder."""
        site = SITES[self.site]
        self.time_zone = time_zone(datetime.now(UTC), site.first_hour, site.last_hour)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        plant_file = self.folder / "plant.yaml"
        if self.points is None:
            compress(site.folder / "plant.yaml", plant_file, self.speed)
        else:
            plant_file.write_text(large_plant_text(self.points))
            compress(plant_file, plant_file, self.speed, polls=False)
        self.plant = load_plant(plant_file)
        day = datetime.now().date().isoformat()
        self.simulator = SimulatedPlant(
            plant_file,
            REPOSITORY,
            self.folder / "simulator.log",
            self.speed,
            f"{day}T{self.start_of_day}",
        )
        config = self.folder / "home_assistant"
        port = self.port or free_port()
        make_configuration(config, REPOSITORY, port, self.time_zone)
        self.home_assistant = HomeAssistant(
            config, port, self.folder / "home_assistant.log"
        )
        self.app_daemon = AppDaemon(
            self.folder / "appdaemon",
            REPOSITORY,
            self.home_assistant,
            self.folder / "appdaemon.log",
            self.time_zone,
        )
        self.installation = Installation(
            self.home_assistant,
            plant_file,
            site.folder,
            self.speed,
            self.time_zone,
            self.plant.key,
            site.first_profile,
        )

    async def __aenter__(self) -> Self:
        """Start everything and install the plant; stop it all on failure."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything."""
        await self.stop()

    async def _start(self) -> None:
        begin = time.monotonic()

        def progress(text: str) -> None:
            self.say(f"[{time.monotonic() - begin:3.0f}s] {text}")

        progress("starting the simulated plant")
        progress(await self.simulator.start())
        progress("starting Home Assistant")
        await self.home_assistant.start()
        progress("importing the plant, its automations, profiles and dashboard")
        await self.installation.install()
        progress("starting AppDaemon with the control engine")
        self.app_daemon.configure()
        await self.app_daemon.start()
        progress("all of it runs")

    async def stop(self) -> None:
        """Stop every process, the one that depends on the others first."""
        await self.app_daemon.stop()
        await self.home_assistant.stop()
        await self.simulator.stop()
