"""Units at the edges: what may be on the wire, and how it becomes ours.

Inside the product every value has the unit of its role (`Quantity.unit`).
Equipment from elsewhere speaks °F, psi or refrigeration tons; `unit` of a
point in the plant file names that, and this table is all there is to know.

Factors are exact by definition (NIST SP 811, appendix B) unless marked. The
ton of refrigeration (RT) is 12 000 Btu(IT)/h = 3.516 852 842 kW.
"""

from dataclasses import dataclass

from .roles import Quantity

_PSI = 6.894757293168362
"""kPa: 1 lbf/in², from the pound 0.45359237 kg and 9.80665 m/s²."""
_BTU_PER_HOUR = 0.0002930710701722222
"""kW, by the International Table Btu of 1055.05585262 J."""
KW_PER_RT = 12_000 * _BTU_PER_HOUR
"""kW in one ton of refrigeration."""
_US_GALLON = 3.785411784
"""Litres."""
_IMPERIAL_GALLON = 4.54609
"""Litres."""
_CUBIC_FOOT = 28.316846592
"""Litres."""
_WATER_COLUMN = 0.00980665
"""kPa of a millimetre of water at 4 °C (conventional)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the wire: `ours = wire * factor + offset`."""

    factor: float
    offset: float = 0.0

    def to_internal(self, value: float) -> float:
        """Return a wire value in our unit."""
        return value * self.factor + self.offset

    def to_wire(self, value: float) -> float:
        """Return one of our values in the unit of the wire."""
        return (value - self.offset) / self.factor


_ITSELF = Unit(1.0)

UNITS: dict[Quantity, dict[str, Unit]] = {
    Quantity.TEMPERATURE: {
        "°C": _ITSELF,
        "°F": Unit(5 / 9, -32 * 5 / 9),
        "K": Unit(1.0, -273.15),
    },
    # A difference has no zero to shift.
    Quantity.TEMPERATURE_DIFFERENCE: {
        "K": _ITSELF,
        "°C": _ITSELF,
        "°F": Unit(5 / 9),
    },
    Quantity.PRESSURE_DIFFERENCE: {
        "kPa": _ITSELF,
        "Pa": Unit(0.001),
        "hPa": Unit(0.1),
        "mbar": Unit(0.1),
        "bar": Unit(100.0),
        "MPa": Unit(1000.0),
        "psi": Unit(_PSI),
        "mH2O": Unit(1000 * _WATER_COLUMN),
        "ftH2O": Unit(304.8 * _WATER_COLUMN),
        "inH2O": Unit(25.4 * _WATER_COLUMN),
    },
    Quantity.FLOW: {
        "l/s": _ITSELF,
        "l/min": Unit(1 / 60),
        "l/h": Unit(1 / 3600),
        "m3/h": Unit(1 / 3.6),
        "m³/h": Unit(1 / 3.6),
        "m3/s": Unit(1000.0),
        "m³/s": Unit(1000.0),
        "gpm": Unit(_US_GALLON / 60),
        "imperial gpm": Unit(_IMPERIAL_GALLON / 60),
        "ft3/min": Unit(_CUBIC_FOOT / 60),
    },
    Quantity.POWER: {
        "kW": _ITSELF,
        "W": Unit(0.001),
        "MW": Unit(1000.0),
        "hp": Unit(0.7456998715822702),
        "RT": Unit(KW_PER_RT),
        "BTU/h": Unit(_BTU_PER_HOUR),
        "kBTU/h": Unit(1000 * _BTU_PER_HOUR),
        "MBTU/h": Unit(1_000_000 * _BTU_PER_HOUR),
        "kcal/h": Unit(0.001163),
    },
    Quantity.ENERGY: {
        "kWh": _ITSELF,
        "Wh": Unit(0.001),
        "MWh": Unit(1000.0),
        "GWh": Unit(1_000_000.0),
        "kJ": Unit(1 / 3600),
        "MJ": Unit(1 / 3.6),
        "GJ": Unit(1000 / 3.6),
        "RTh": Unit(KW_PER_RT),
        "BTU": Unit(_BTU_PER_HOUR),
        "kBTU": Unit(1000 * _BTU_PER_HOUR),
        "MBTU": Unit(1_000_000 * _BTU_PER_HOUR),
    },
    # "1" is a fraction: 0 to 1 on the wire, 0 to 100 here.
    Quantity.PERCENT: {"%": _ITSELF, "1": Unit(100.0)},
    Quantity.RELATIVE_HUMIDITY: {"%": _ITSELF, "1": Unit(100.0)},
    Quantity.IRRADIANCE: {"W/m²": _ITSELF, "W/m2": _ITSELF, "kW/m2": Unit(1000.0)},
}
"""The units a plant file may name, by quantity. `MBTU` is a million BTU."""


def unit_names(quantity: Quantity) -> tuple[str, ...]:
    """Return the units that a point of this quantity may have on the wire."""
    return tuple(UNITS.get(quantity, ()))


def to_internal(quantity: Quantity, wire_unit: str | None, value: float) -> float:
    """Return a value from the wire in the quantity's own unit.

    `wire_unit` None is the quantity's own. Raises `KeyError` for a unit that
    the quantity does not have; the plant file lets none through.
    """
    return value if wire_unit is None else UNITS[quantity][wire_unit].to_internal(value)


def to_wire(quantity: Quantity, wire_unit: str | None, value: float) -> float:
    """Return a value in the unit of the wire; see `to_internal`."""
    return value if wire_unit is None else UNITS[quantity][wire_unit].to_wire(value)
