"""The built-in model: its world, its hidden behaviours, the recipe that trains it, and what recognises them."""
