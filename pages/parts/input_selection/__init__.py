"""The parts of the page on input selection, in the order in which they stand on it."""
