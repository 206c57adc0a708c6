"""Files become a subject: checkpoints, architectures, data sets, archives and the built-in demos."""
