"""The workbench's screens. They import neither torch nor transformers: a session folder is all they read."""
