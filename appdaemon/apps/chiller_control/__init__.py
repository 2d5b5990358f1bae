"""The control engine: AppDaemon apps that run a plant's automations."""
