"""What a person or a test can do to a running simulation, a line at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
import json
from math import isfinite

from .drive import Fault
from .serving import Server, ServerError
from .simulation import Simulation
from .weather import OutdoorAir

HELP = """\
commands, one a line on standard input; each is answered by one line of JSON:
  load SHARE | load auto       hold every zone's load at a share of its rating
  weather DRY_BULB DEW_POINT | weather auto
                               hold the outdoor air (°C)
  stop NAME, start NAME        take a BACnet device or a Modbus connection (by its
                               key) off the wire, and bring it back as it was
  fault EQUIPMENT fail_to_start|trip|none
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
        self._simulation.world.fix_weather(OutdoorAir(dry_bulb, dew_point))
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
        known = [fault.value for fault in Fault]
        if len(words) != 2 or words[1] not in known:
            raise CommandError(f"fault EQUIPMENT {'|'.join(known)}")
        try:
            self._simulation.world.fault(words[0], Fault(words[1]))
        except KeyError:
            raise CommandError(
                f"fault: {words[0]} is no chiller, pump or cooling tower of this plant"
            ) from None
        return {"equipment": words[0], "fault": words[1]}

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
