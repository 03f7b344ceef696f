"""Side-by-side measurements. Each module is a command that prints its table, or with --json one line."""
