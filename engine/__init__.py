"""Faultline's engine: works without the app, in scripts and tests the same way."""
