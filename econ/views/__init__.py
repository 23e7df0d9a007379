"""Charts, panels and exercise checks; no module here computes a number of its own."""
