"""What each control type decides; pure, so that it runs a plant or a test alike."""
