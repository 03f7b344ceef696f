"""One widget a file, each with its messages."""
