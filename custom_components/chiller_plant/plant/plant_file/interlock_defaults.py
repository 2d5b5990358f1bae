"""What protects a machine for which the plant file says nothing else.

Sources: ASHRAE Guideline 36-2021 where it gives a figure, else what
manufacturers commonly ask for; a plant file overrides any of them.
"""

from ..model import InterlockSettings
from ..roles import EquipmentType

_PUMP = InterlockSettings(
    # G36 alarms on a motor without status after 15 s; soft starters and drives
    # with long ramps need more before the start counts as failed.
    start_proof_time=60,
    minimum_off_time=60,
    maximum_starts_per_hour=6,
)

DEFAULTS: dict[EquipmentType, InterlockSettings] = {
    EquipmentType.CHILLER: InterlockSettings(
        # G36 5.20.4 (staging): a stage runs at least 15 minutes.
        minimum_run_time=900,
        minimum_off_time=900,
        # Common limit of manufacturers for centrifugal machines.
        maximum_starts_per_hour=2,
        flow_proof_time=30,
        flow_loss_time=10,
        # G36 5.20: valves and pumps serve on for 3 minutes.
        flow_keep_time=180,
        # G36 5.20.4 (staging): a chiller is given 5 minutes to prove
        # operation before another one changes.
        change_time=300,
        start_proof_time=300,
    ),
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: _PUMP,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: _PUMP,
    EquipmentType.CONDENSER_WATER_PUMP: _PUMP,
    EquipmentType.COOLING_TOWER: InterlockSettings(
        # G36 5.20 (tower fans): fans stay off for at least a minute.
        minimum_run_time=60,
        minimum_off_time=60,
        maximum_starts_per_hour=10,
        start_proof_time=60,
    ),
    EquipmentType.VALVE: InterlockSettings(
        # G36 5.20.4 (staging): isolation valves may take 5 minutes to open.
        start_proof_time=300,
    ),
    EquipmentType.HEAT_SOURCE: InterlockSettings(
        minimum_run_time=300,
        minimum_off_time=300,
        maximum_starts_per_hour=4,
        start_proof_time=300,
    ),
    EquipmentType.SHEDDABLE_CIRCUIT: InterlockSettings(
        # What is behind a circuit is not known; 3 minutes spare a compressor.
        minimum_off_time=180,
        maximum_starts_per_hour=6,
        start_proof_time=60,
    ),
}
"""By equipment type; a type that is not here has nothing to protect."""
