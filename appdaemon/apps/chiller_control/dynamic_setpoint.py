"""Dynamic setpoint as an AppDaemon app."""

from .control.dynamic_setpoint import DynamicSetpoint
from .control_app import ControlApp


class DynamicSetpointApp(ControlApp):
    """Runs the dynamic setpoint automations of a plant."""

    control_type = "dynamic_setpoint"
    build = DynamicSetpoint
