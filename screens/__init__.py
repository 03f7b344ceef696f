"""The workbench's screens, without torch: session folders and the engine's client are all they know."""
