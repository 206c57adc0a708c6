"""The headless commands, one file each: `add_to(parsers)` describes it, `run(arguments)` does it."""
