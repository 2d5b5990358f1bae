"""What is put beside the control engine to see what it does, and at what cost.

An AppDaemon app like any other, in AppDaemon's own Python: it counts the
processor time of every controller's step, the outermost only, and writes down
when a PID loop first saw another measurement.
"""

import json
from pathlib import Path
from typing import Any

_APP = '''\
"""Written by a benchmark; see benchmarks/latency_parts/engine_ear.py."""

import functools
import importlib
import inspect
import json
from pathlib import Path
import pkgutil
import threading
from time import monotonic, thread_time

from appdaemon.plugins.hass.hassapi import Hass

import chiller_control.control as control


class LatencyEar(Hass):
    def initialize(self):
        self._spent = 0.0
        self._steps = 0
        self._lock = threading.Lock()
        self._inside = threading.local()
        self._seen = {}
        self._log = open(self.args["seen"], "a", buffering=1)
        for found in pkgutil.iter_modules(control.__path__):
            module = importlib.import_module(f"{control.__name__}.{found.name}")
            for _, kind in inspect.getmembers(module, inspect.isclass):
                if (
                    kind.__module__ == module.__name__
                    and inspect.isfunction(getattr(kind, "step", None))
                    and not getattr(kind, "_is_protocol", False)
                ):
                    kind.step = self._counted(kind, kind.step)
        self.run_every(self._write, "now", 1)

    def _counted(self, kind, step):
        pid = kind.__name__ == "PidControl"

        @functools.wraps(step)
        def counted(controller, *arguments, **named):
            if getattr(self._inside, "yes", False):
                return step(controller, *arguments, **named)
            moment, began = monotonic(), thread_time()
            self._inside.yes = True
            try:
                return step(controller, *arguments, **named)
            finally:
                self._inside.yes = False
                spent = thread_time() - began
                with self._lock:
                    self._spent += spent
                    self._steps += 1
                if pid:
                    self._note(moment, controller, arguments)

        return counted

    def _note(self, moment, controller, arguments):
        key = controller._measurement
        value = arguments[1].number(key)
        if self._seen.get(controller._name) != value:
            self._seen[controller._name] = value
            self._log.write(json.dumps([moment, controller._name, value]) + "\\n")

    def _write(self, **_):
        path = Path(self.args["spent"])
        text = json.dumps([monotonic(), self._spent, self._steps])
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").replace(path)

    def terminate(self):
        self._log.close()
'''
_REGISTRATION = """\
latency_ear:
  module: latency_ear
  class: LatencyEar
  seen: {seen}
  spent: {spent}
"""


class EngineEar:
    """The files by which the app is heard."""

    def __init__(self, apps: Path, folder: Path) -> None:
        """Put the app among the others, in a folder of its own."""
        self._seen = folder / "seen.jsonl"
        self._spent = folder / "spent.json"
        place = apps / "latency_ear"
        place.mkdir()
        (place / "latency_ear.py").write_text(_APP, encoding="utf-8")
        (place / "latency_ear.yaml").write_text(
            _REGISTRATION.format(seen=self._seen, spent=self._spent), encoding="utf-8"
        )

    def spent(self) -> tuple[float, float, int]:
        """Return moment, processor seconds of all steps so far, and how many."""
        moment, seconds, steps = json.loads(self._spent.read_text())
        return float(moment), float(seconds), int(steps)

    def seen(self) -> dict[str, list[tuple[float, float | None]]]:
        """Return when each loop, by its name, saw another measurement."""
        found: dict[str, list[tuple[float, float | None]]] = {}
        for line in self._seen.read_text().splitlines():
            row: list[Any] = json.loads(line)
            found.setdefault(row[1], []).append((row[0], row[2]))
        return found
