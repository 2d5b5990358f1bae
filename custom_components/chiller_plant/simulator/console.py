"""What a person or a test can do to a running simulation, a line at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
import json
from math import isfinite

from .drives import Fault
from .sensor_faults import KINDS
from .serving import Server, ServerError
from .simulation import Simulation
from .weather_series import WeatherSeries

HELP = """\
commands, one a line on standard input; each is answered by one line of JSON:
  load SHARE | load auto       hold every zone's load at a share of its rating
  weather DRY_BULB DEW_POINT | weather auto
                               hold the outdoor air (°C)
  stop NAME, start NAME        take a BACnet device or a Modbus connection (by its
                               key) off the wire, and bring it back as it was
  fault EQUIPMENT fail_to_start|trip|hand|stuck|none
                               a converter in hand turns at full speed, a valve can
                               be stuck
  foul CHILLER KELVIN          make a condenser dirty by so much (0: clean)
  sensor POINT noise|bias|resolution|drop_out|spike|frozen AMOUNT, sensor POINT none
                               let a sensor show something else: in the unit of the
                               point, drop_out and spike as a share of the readings,
                               frozen 1
  status                       time, load, temperatures, what runs
  quit                         end

The end of standard input ends the simulation only at a terminal (Ctrl-D); one
that was started with a pipe or with /dev/null goes on until SIGINT or SIGTERM.
"""

type _Answer = Mapping[str, object]


class CommandError(Exception):
    """A line that makes no sense; the text says what would."""


class Console:
    """Carries out lines."""

    def __init__(self, simulation: Simulation) -> None:
        """Take what the lines are about."""
        self._simulation = simulation
        self.ended = False
        self._verbs: Mapping[str, Callable[[Sequence[str]], Awaitable[_Answer]]] = {
            "load": self._load,
            "weather": self._weather,
            "stop": self._stop,
            "start": self._start,
            "fault": self._fault,
            "foul": self._foul,
            "sensor": self._sensor,
            "status": self._status,
            "quit": self._quit,
        }

    async def answer(self, line: str) -> str:
        """Carry out one line and return its answer, one line of JSON."""
        verb, *words = line.split() or [""]
        try:
            result = await self._verbs.get(verb, self._unknown)(words)
        except (CommandError, ServerError) as error:
            return json.dumps({"ok": False, "error": str(error)})
        return json.dumps({"ok": True, **result}, ensure_ascii=False)

    async def _unknown(self, _words: Sequence[str]) -> _Answer:
        raise CommandError(f"unknown command; there are: {', '.join(self._verbs)}")

    async def _load(self, words: Sequence[str]) -> _Answer:
        if words == ["auto"]:
            self._simulation.world.fix_load(None)
            return {"load": "auto"}
        (share,) = _numbers("load SHARE (0 to 1.5), or: load auto", words, 1)
        if not 0.0 <= share <= 1.5:
            raise CommandError(f"load: a share of 0 to 1.5 is needed, not {share:g}")
        self._simulation.world.fix_load(share)
        return {"load": share}

    async def _weather(self, words: Sequence[str]) -> _Answer:
        if words == ["auto"]:
            self._simulation.world.fix_weather(None)
            return {"weather": "auto"}
        dry_bulb, dew_point = _numbers(
            "weather DRY_BULB DEW_POINT, or: weather auto", words, 2
        )
        if not -30.0 <= dew_point <= dry_bulb <= 50.0:
            raise CommandError(
                "weather: -30 to 50 °C are needed, the dew point not above the dry bulb"
            )
        self._simulation.world.fix_weather(WeatherSeries.steady(dry_bulb, dew_point))
        return {"dry_bulb": dry_bulb, "dew_point": dew_point}

    def _server(self, verb: str, words: Sequence[str]) -> Server:
        servers = self._simulation.servers
        if len(words) != 1 or words[0] not in servers:
            raise CommandError(f"{verb} NAME; there are: {', '.join(servers)}")
        return servers[words[0]]

    async def _stop(self, words: Sequence[str]) -> _Answer:
        server = self._server("stop", words)
        await server.stop()
        return {"name": server.name, "on_wire": server.on_wire}

    async def _start(self, words: Sequence[str]) -> _Answer:
        server = self._server("start", words)
        await server.start()
        return {"name": server.name, "on_wire": server.on_wire}

    async def _fault(self, words: Sequence[str]) -> _Answer:
        known = [fault.word for fault in Fault]
        if len(words) != 2 or words[1] not in known:
            raise CommandError(f"fault EQUIPMENT {'|'.join(known)}")
        equipment, fault = words[0], Fault.of(words[1])
        possible = self._simulation.world.machines.faults_of(equipment)
        if not possible:
            raise CommandError(
                f"fault: {equipment} is no chiller, pump, cooling tower or valve of"
                " this plant"
            )
        if fault not in possible:
            raise CommandError(
                f"fault: {equipment} can only have:"
                f" {', '.join(each.word for each in possible)}"
            )
        self._simulation.world.fault(equipment, fault)
        return {"equipment": equipment, "fault": fault.word}

    async def _foul(self, words: Sequence[str]) -> _Answer:
        usage = "foul CHILLER KELVIN (0 to 10)"
        (kelvin,) = _numbers(usage, words[1:], 1)
        if not 0.0 <= kelvin <= 10.0:
            raise CommandError(usage)
        try:
            self._simulation.world.worlds.foul(words[0], kelvin)
        except KeyError:
            raise CommandError(
                f"foul: {words[0]} is no chiller of this plant"
            ) from None
        return {"equipment": words[0], "fouling": kelvin}

    async def _sensor(self, words: Sequence[str]) -> _Answer:
        usage = f"sensor POINT {'|'.join(KINDS)} AMOUNT, or: sensor POINT none"
        worlds = self._simulation.world.worlds
        if not words or words[0] not in worlds.sensors.points:
            raise CommandError(
                f"{usage}; POINT is what a device measures, as chiller_1.power"
            )
        if list(words[1:]) == ["none"]:
            worlds.repair_sensor(words[0])
            return {"point": words[0], "fault": "none"}
        if len(words) != 3 or words[1] not in KINDS:
            raise CommandError(usage)
        (amount,) = _numbers(usage, words[2:], 1)
        try:
            worlds.sensor_fault(words[0], words[1], amount)
        except ValueError as error:
            raise CommandError(f"sensor: {error}") from None
        return {"point": words[0], "fault": words[1], "amount": amount}

    async def _status(self, _words: Sequence[str]) -> _Answer:
        return self._simulation.status()

    async def _quit(self, _words: Sequence[str]) -> _Answer:
        self.ended = True
        return {"ended": True}


def _numbers(usage: str, words: Sequence[str], count: int) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise CommandError(usage) from None
    if len(numbers) != count or not all(isfinite(number) for number in numbers):
        raise CommandError(usage)
    return numbers
