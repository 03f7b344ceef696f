"""What an engine does when it is asked: one file for each kind of job. Heavy imports are inside the functions."""
