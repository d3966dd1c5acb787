"""The commands, one module each: compose a config, build what it names, run it."""
