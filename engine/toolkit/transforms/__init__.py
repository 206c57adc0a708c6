"""Changes of images that a classifier should bear: families with one number each, applied to whole batches."""
