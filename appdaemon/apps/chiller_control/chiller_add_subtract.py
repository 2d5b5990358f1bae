"""Chiller add/subtract as an AppDaemon app."""

from .control.chiller_add_subtract import ChillerAddSubtract
from .control_app import ControlApp


class ChillerAddSubtractApp(ControlApp):
    """Runs the Chiller add/subtract automations of a plant."""

    control_type = "chiller_add_subtract"
    build = ChillerAddSubtract
