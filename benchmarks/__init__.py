"""Measurements beside the bare or the usual way of doing the same; ratios are printed, nothing is asserted."""
