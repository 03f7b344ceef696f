"""What can be asked for: a fit, samples, a reply. The same functions serve the command line and the engine."""
