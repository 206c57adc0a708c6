"""The parts of the CAM training page."""
