"""The built-in model and its prompts."""
