"""What goes into the start and stop sequence of a plant, and what comes out of it."""

from dataclasses import dataclass, field

from .decision import Command, Event


@dataclass(frozen=True, slots=True)
class SequenceSettings:
    """Times in seconds."""

    proof_timeout: float
    stop_flow_delay: float


@dataclass(slots=True)
class SequenceStep:
    """What the sequence wants now and what it waits for."""

    commands: list[Command] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
