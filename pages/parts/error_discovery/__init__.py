"""The parts of the page on error discovery, in the order in which they stand on it."""
