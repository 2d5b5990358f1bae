"""SCHP control as an AppDaemon app."""

from .control.schp_control import SCHPControl
from .control_app import ControlApp


class SCHPControlApp(ControlApp):
    """Runs the SCHP control automations of a plant."""

    control_type = "schp_control"
    build = SCHPControl
