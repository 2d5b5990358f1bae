"""Smart CT as an AppDaemon app."""

from .control.smart_ct import SmartCT
from .control_app import ControlApp


class SmartCTApp(ControlApp):
    """Runs the smart CT automations of a plant."""

    control_type = "smart_ct"
    build = SmartCT
