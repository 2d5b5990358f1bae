"""PID control as an AppDaemon app."""

from .control.pid_control import PidControl
from .control_app import ControlApp


class PidControlApp(ControlApp):
    """Runs the PID control automations of a plant."""

    control_type = "pid_control"
    build = PidControl
