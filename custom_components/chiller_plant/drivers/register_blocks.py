"""Which registers to read together.

A request costs as much for a hundred registers as for one, so near ones are
read in one block. A unit refuses a whole block for one register that it does
not have; what was found out about that is remembered here, so that the rest
of the block is not lost and the search is made once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..plant.model import ModbusAddress, Point, RegisterKind
from .registers import BIT_KINDS, width

_LARGEST_GAP = 16
_MOST_REGISTERS = 125
_MOST_BITS = 2000

type Item = tuple[ModbusAddress, Point]


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbours in one table, read with one request."""

    kind: RegisterKind
    items: tuple[Item, ...]
    """In the order of their addresses."""

    @property
    def start(self) -> int:
        """The first address."""
        return self.items[0][0].address

    @property
    def count(self) -> int:
        """How many registers or bits the block spans."""
        end = max(address.address + width(address) for address, _ in self.items)
        return end - self.start

    @property
    def places(self) -> tuple[int, ...]:
        """The different addresses at which values begin."""
        return tuple(dict.fromkeys(address.address for address, _ in self.items))

    def raw(self, address: ModbusAddress, answer: Sequence[int]) -> Sequence[int]:
        """Return the part of an answer that belongs to one value."""
        begin = address.address - self.start
        return answer[begin : begin + width(address)]

    def halves(self) -> tuple[Block, Block]:
        """Cut a block of several places in two."""
        middle = self.places[len(self.places) // 2]
        first = tuple(item for item in self.items if item[0].address < middle)
        second = tuple(item for item in self.items if item[0].address >= middle)
        return Block(self.kind, first), Block(self.kind, second)


@dataclass(slots=True)
class BlockPlan:
    """How the tables of one unit are read."""

    refused: set[tuple[RegisterKind, int]] = field(default_factory=set)
    """Values that the unit refuses; they are asked for alone."""
    cuts: set[tuple[RegisterKind, int]] = field(default_factory=set)
    """Values before which a block must end: between them and the one before
    lies a register that the unit does not have."""

    def blocks(self, items: Iterable[Item]) -> list[Block]:
        """Return the blocks in which to read these values."""
        tables: dict[RegisterKind, list[Item]] = {}
        for item in items:
            tables.setdefault(item[0].kind, []).append(item)
        blocks: list[Block] = []
        for kind, table in tables.items():
            table.sort(key=lambda item: item[0].address)
            run: list[Item] = []
            for item in table:
                if run and not self._joins(kind, run, item[0]):
                    blocks.append(Block(kind, tuple(run)))
                    run = []
                run.append(item)
            blocks.append(Block(kind, tuple(run)))
        return blocks

    def _joins(self, kind: RegisterKind, run: list[Item], new: ModbusAddress) -> bool:
        first, last = run[0][0], run[-1][0]
        if new.address == last.address and (kind, new.address) in self.refused:
            return True
        end = max(address.address + width(address) for address, _ in run)
        most = _MOST_BITS if kind in BIT_KINDS else _MOST_REGISTERS
        return (
            new.address - end <= _LARGEST_GAP
            and max(new.address + width(new), end) - first.address <= most
            and not any(
                first.address <= address <= new.address
                for table, address in self.refused
                if table is kind
            )
            and not any(
                first.address < address <= new.address
                for table, address in self.cuts
                if table is kind
            )
        )

    def cut(self, first: Block, second: Block) -> None:
        """Remember that two blocks can be read, but not as one."""
        self.cuts.add((second.kind, second.start))

    def refuse(self, block: Block) -> None:
        """Remember that the unit refuses the values at the block's place."""
        self.refused.add((block.kind, block.start))

    def accept(self, block: Block) -> None:
        """Forget a refusal: the unit has learned to answer."""
        self.refused.discard((block.kind, block.start))
