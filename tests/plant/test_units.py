"""Values change their unit at the edge and come back unharmed."""

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.plant.roles import Quantity
from custom_components.chiller_plant.plant.units import (
    KW_PER_RT,
    UNITS,
    to_internal,
    to_wire,
    unit_names,
)

# What a handbook says, to the digits it gives.
HANDBOOK = [
    (Quantity.TEMPERATURE, "°F", 44.0, 6.6667),
    (Quantity.TEMPERATURE, "K", 280.15, 7.0),
    (Quantity.TEMPERATURE_DIFFERENCE, "°F", 10.0, 5.5556),
    (Quantity.TEMPERATURE_DIFFERENCE, "°C", 5.0, 5.0),
    (Quantity.PRESSURE_DIFFERENCE, "psi", 10.0, 68.948),
    (Quantity.PRESSURE_DIFFERENCE, "bar", 1.5, 150.0),
    (Quantity.PRESSURE_DIFFERENCE, "Pa", 120_000.0, 120.0),
    (Quantity.PRESSURE_DIFFERENCE, "ftH2O", 50.0, 149.453),
    (Quantity.FLOW, "gpm", 960.0, 60.5666),
    (Quantity.FLOW, "m3/h", 218.05, 60.57),
    (Quantity.FLOW, "l/min", 60.0, 1.0),
    (Quantity.POWER, "W", 1500.0, 1.5),
    (Quantity.POWER, "MW", 1.2, 1200.0),
    (Quantity.POWER, "RT", 400.0, 1406.74),
    (Quantity.POWER, "BTU/h", 12_000.0, 3.51685),
    (Quantity.POWER, "hp", 100.0, 74.57),
    (Quantity.ENERGY, "MWh", 2.0, 2000.0),
    (Quantity.ENERGY, "GJ", 3.6, 1000.0),
    (Quantity.ENERGY, "RTh", 1.0, 3.51685),
    (Quantity.PERCENT, "1", 0.8, 80.0),
]


@pytest.mark.parametrize(("quantity", "unit", "wire", "internal"), HANDBOOK)
def test_units_agree_with_the_handbook(
    quantity: Quantity, unit: str, wire: float, internal: float
) -> None:
    assert to_internal(quantity, unit, wire) == pytest.approx(internal, rel=2e-5)


def test_a_ton_of_refrigeration_is_what_the_trade_says() -> None:
    assert pytest.approx(3.51685, abs=5e-6) == KW_PER_RT


def test_every_number_has_its_own_unit_among_the_accepted_ones() -> None:
    for quantity in Quantity:
        if quantity.is_boolean or quantity is Quantity.COUNT:
            assert unit_names(quantity) == ()
            assert quantity.unit is None
        else:
            assert quantity.unit is not None
            assert to_internal(quantity, quantity.unit, 12.5) == 12.5
            assert to_wire(quantity, None, 12.5) == 12.5


@given(
    st.sampled_from(
        [(quantity, unit) for quantity, units in UNITS.items() for unit in units]
    ),
    st.floats(-1e6, 1e6),
)
def test_what_goes_out_comes_back(pair: tuple[Quantity, str], value: float) -> None:
    quantity, unit = pair
    back = to_internal(quantity, unit, to_wire(quantity, unit, value))
    assert back == pytest.approx(value, rel=1e-9, abs=1e-6)


@given(
    st.sampled_from(
        [(quantity, unit) for quantity, units in UNITS.items() for unit in units]
    ),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
)
def test_no_unit_turns_an_order_around(
    pair: tuple[Quantity, str], one: float, other: float
) -> None:
    if one <= other:
        assert to_internal(*pair, one) <= to_internal(*pair, other)
