"""Which registers to read together.

A request costs as much for a hundred registers as for one, so near ones are
read in one block. A unit refuses a whole block for one register that it does
not have; what was found out about that is remembered here, so that the rest
of the block is not lost, and neither the search nor the refusal costs a
request in every reading.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..plant.model import ModbusAddress, Point, RegisterKind, RegisterRange
from .registers import BIT_KINDS, Decoder, decoder, width

_LARGEST_GAP = 16
_MOST_REGISTERS = 125
_MOST_BITS = 2000
_MOST_KEPT = 32
_ASK_AGAIN = 300.0
"""Seconds until a value that was refused is asked for once more."""

type Item = tuple[ModbusAddress, Point]
type Place = tuple[RegisterKind, int]


@dataclass(frozen=True)
class Block:
    """Neighbours in one table, read with one request."""

    kind: RegisterKind
    items: tuple[Item, ...]
    """In the order of their addresses."""

    @cached_property
    def start(self) -> int:
        """The first address."""
        return self.items[0][0].address

    @cached_property
    def count(self) -> int:
        """How many registers or bits the block spans."""
        end = max(address.address + width(address) for address, _ in self.items)
        return end - self.start

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The different addresses at which values begin."""
        return tuple(dict.fromkeys(address.address for address, _ in self.items))

    @cached_property
    def cuts(self) -> tuple[tuple[Item, slice, Decoder], ...]:
        """Each value with its part of an answer, and what reads it."""
        cuts = []
        for address, point in self.items:
            begin = address.address - self.start
            part = slice(begin, begin + width(address))
            cuts.append(((address, point), part, decoder(point, address)))
        return tuple(cuts)

    def halves(self) -> tuple[Block, Block]:
        """Cut a block of several places in two."""
        middle = self.places[len(self.places) // 2]
        first = tuple(item for item in self.items if item[0].address < middle)
        second = tuple(item for item in self.items if item[0].address >= middle)
        return Block(self.kind, first), Block(self.kind, second)


@dataclass(slots=True)
class _Refusal:
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Planned:
    """What to ask of a unit, and what it need not be asked again yet."""

    blocks: tuple[Block, ...]
    known: tuple[tuple[Item, str], ...]
    """Values that it refused before, and how."""


@dataclass(slots=True)
class BlockPlan:
    """How the tables of one unit are read; times in seconds of one clock."""

    ranges: tuple[RegisterRange, ...] = ()
    """Where gaps are known to be readable; see `ModbusDevice.ranges`."""
    _refused: dict[Place, _Refusal] = field(default_factory=dict)
    _blocks: dict[tuple[int, ...], tuple[Block, ...]] = field(default_factory=dict)
    """How sets of points were read last, none of them refused: each tier asks
    for the same ones again and again."""
    _cuts: set[Place] = field(default_factory=set)
    """Values before which a block must end: between them and the one before
    lies a register that the unit does not have."""

    @property
    def refused(self) -> frozenset[Place]:
        """Where values begin that the unit refuses."""
        return frozenset(self._refused)

    def plan(self, items: Sequence[Item], now: float) -> Planned:
        """Return how to read these values.

        Of those that the unit refuses, one is asked for again where its time
        has come, or where there is nothing else to ask the unit for.
        """
        # The points are kept alive by the blocks that they are in.
        wanted = tuple(id(point) for _, point in items)
        if (blocks := self._blocks.get(wanted)) is not None:
            return Planned(blocks, ())
        planned = self._plan(items, now)
        if not any(_place(item) in self._refused for item in items):
            if len(self._blocks) >= _MOST_KEPT:
                self._blocks.clear()
            self._blocks[wanted] = planned.blocks
        return planned

    def _plan(self, items: Iterable[Item], now: float) -> Planned:
        tables: dict[RegisterKind, list[Item]] = {}
        known: list[Item] = []
        for item in items:
            address = item[0]
            if (address.kind, address.address) in self._refused:
                known.append(item)
            else:
                tables.setdefault(address.kind, []).append(item)
        blocks = [
            block for kind, some in tables.items() for block in self._of(kind, some)
        ]
        again = self._again(known, now, needed=not blocks)
        if again is not None:
            some = [item for item in known if _place(item) == again]
            blocks.append(Block(again[0], tuple(some)))
        return Planned(
            tuple(blocks),
            tuple(
                (item, self._refused[_place(item)].reason)
                for item in known
                if _place(item) != again
            ),
        )

    def _again(
        self, known: Sequence[Item], now: float, *, needed: bool
    ) -> Place | None:
        if not known:
            return None
        oldest = min(map(_place, known), key=lambda place: self._refused[place].at)
        age = now - self._refused[oldest].at
        return oldest if needed or age >= _ASK_AGAIN else None

    def _of(self, kind: RegisterKind, items: list[Item]) -> Iterable[Block]:
        """Yield the blocks of one table."""
        most = _MOST_BITS if kind in BIT_KINDS else _MOST_REGISTERS
        ranges = [item for item in self.ranges if item.kind is kind]
        gap = 0 if ranges else _LARGEST_GAP
        items.sort(key=lambda item: item[0].address)
        run: list[Item] = []
        end = 0
        within: RegisterRange | None = None
        for item in items:
            start = item[0].address
            stop = start + width(item[0])
            home = _range_of(ranges, start, stop)
            if run and (
                home is not within
                or (home is None and start - end > gap)
                or max(stop, end) - run[0][0].address > most
                or (start > run[-1][0].address and self._parted(kind, run, start))
            ):
                yield Block(kind, tuple(run))
                run = []
            end = max(stop, end) if run else stop
            within = home
            run.append(item)
        if run:
            yield Block(kind, tuple(run))

    def _parted(self, kind: RegisterKind, run: list[Item], start: int) -> bool:
        """Whether the unit is known not to have what lies between."""
        before = run[-1][0].address
        return any(
            table is kind and before < place <= start for table, place in self._cuts
        ) or any(
            table is kind and before < place < start for table, place in self._refused
        )

    def cut(self, first: Block, second: Block) -> None:
        """Remember that two blocks can be read, but not as one."""
        self._blocks.clear()
        self._cuts.add((second.kind, second.start))

    def refuse(self, block: Block, reason: str, now: float) -> None:
        """Remember that the unit refuses the values at the block's place."""
        self._blocks.clear()
        self._refused[block.kind, block.start] = _Refusal(reason, now)

    def accept(self, block: Block) -> None:
        """Forget a refusal: the unit has learned to answer."""
        if self._refused.pop((block.kind, block.start), None) is not None:
            self._blocks.clear()


def _place(item: Item) -> Place:
    return item[0].kind, item[0].address


def _range_of(
    ranges: Sequence[RegisterRange], start: int, stop: int
) -> RegisterRange | None:
    return next(
        (item for item in ranges if item.first <= start and stop <= item.last + 1),
        None,
    )
