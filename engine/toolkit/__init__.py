"""The mathematics that methods share: prediction, statistics, training."""
