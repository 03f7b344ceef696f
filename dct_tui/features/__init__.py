"""What makes a learned feature readable: words, effects, likeness. Importing this loads no torch."""
