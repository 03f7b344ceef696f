"""Hugging Face models: opening them, slicing them, intervening in them, generating with them."""
