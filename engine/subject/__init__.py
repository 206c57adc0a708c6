"""What is examined: a classifier, the images it is examined on, and the two together."""
