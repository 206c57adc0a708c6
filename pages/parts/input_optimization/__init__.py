"""The parts of the page on input optimization, in the order in which they stand on it."""
