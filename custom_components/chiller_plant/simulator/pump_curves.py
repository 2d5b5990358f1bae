"""Centrifugal pumps: head and power over flow and speed.

Head by the affinity laws, r²·H0 - H2·q². Power from ρ·g·V·H over the
efficiencies of pump, motor and converter, scaled so that the rated point takes
the rated power (one l/s against one kPa is one watt).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, Flags

_SHUT_OFF = 1.25
"""Head at no flow, as a share of the rated head."""

_LEAST_RATIO = 0.1
_LARGEST_RATIO = 1.4
"""Flow, as a share of that at best efficiency and this speed, between which the
efficiency curve is believed. Power at less flow is that of the least, 0.46 of
the rated shaft power (what pumps take against a closed valve); power at more
flow is that of the largest, as pumps' power flattens towards run-out."""

_EFFICIENCY_FALL = 0.9
"""Pump efficiency falls by this share, times the square of the distance from
the flow of best efficiency, which is the rated one."""

_MOTOR_LOSS = 1.0 / 0.93 - 1.0
"""Losses of a motor of class IE3 and some 20 kW, as a share of its rated shaft
power. A part goes with the speed (iron, friction), the rest with the square of
the torque (copper)."""

_SPEED_LOSS_SHARE = 0.4

_RATED_CONVERTER = 0.97
_LEAST_CONVERTER = 0.90
"""Efficiency of a frequency converter at full speed, and from 30 % down."""

_CONVERTER_SLOPE = (_RATED_CONVERTER - _LEAST_CONVERTER) / 0.7


class PumpCurves:
    """Pumps by their rated points, which are those of best efficiency."""

    def __init__(
        self, flow: Sequence[float] | Array, head: Sequence[float] | Array
    ) -> None:
        """Take l/s and kPa of each pump (last axis) at rated speed."""
        self.flow: Array = np.asarray(flow, dtype=np.float64)
        self.head: Array = np.asarray(head, dtype=np.float64)
        self.shut_off: Array = _SHUT_OFF * self.head
        """Head at no flow and rated speed, kPa."""
        self.capability: Array = self.flow / np.sqrt((_SHUT_OFF - 1.0) * self.head)
        """l/s for each root of a kPa that the head is below that at no flow."""

    def head_at(self, flow: Array, speed: Array) -> Array:
        """Return kPa at l/s and a speed 0 to 1."""
        head: Array = speed * speed * self.shut_off - (flow / self.capability) ** 2
        return head

    def flow_at(self, head: Array, speed: Array) -> Array:
        """Return l/s against kPa; a check valve stops backflow."""
        spare = np.maximum(speed * speed * self.shut_off - head, 0.0)
        flow: Array = self.capability * np.sqrt(spare)
        return flow

    def outside(self, flow: Array, speed: Array) -> Flags:
        """Return where a flow is outside the range of the efficiency curve."""
        believed = speed * self.flow
        outside: Flags = (flow > _LARGEST_RATIO * believed) | (
            flow < _LEAST_RATIO * believed
        )
        return outside & (flow > 0.0)

    def power_shares(
        self,
        flow: Array,
        speed: Array,
        columns: slice | NDArray[np.intp] = slice(None),
    ) -> tuple[Array, Array]:
        """Return shaft and electrical power, each as a share of rated.

        The shaft power is given as a share of the rated electrical power too:
        the difference of both is what motor and converter lose to the room.
        """
        ratio = flow / np.maximum(speed * self.flow[..., columns], 1e-9)
        np.maximum(ratio, _LEAST_RATIO, out=ratio)
        np.minimum(ratio, _LARGEST_RATIO, out=ratio)
        # 1 - fall·(1 - ratio)², and head over rated head, in Horner's form.
        efficiency = (2.0 * _EFFICIENCY_FALL - _EFFICIENCY_FALL * ratio) * ratio
        efficiency += 1.0 - _EFFICIENCY_FALL
        torque = (_SHUT_OFF - (_SHUT_OFF - 1.0) * ratio * ratio) * ratio
        torque /= efficiency
        torque *= speed
        torque *= speed
        shaft = torque * speed
        converter = _LEAST_CONVERTER - 0.3 * _CONVERTER_SLOPE + _CONVERTER_SLOPE * speed
        np.maximum(converter, _LEAST_CONVERTER, out=converter)
        electrical = torque * torque
        electrical *= _MOTOR_LOSS * (1.0 - _SPEED_LOSS_SHARE)
        electrical += _MOTOR_LOSS * _SPEED_LOSS_SHARE * speed
        electrical += shaft
        electrical *= _RATED_CONVERTER / (1.0 + _MOTOR_LOSS)
        electrical /= converter
        shaft *= _RATED_CONVERTER / (1.0 + _MOTOR_LOSS)
        return shaft, electrical
