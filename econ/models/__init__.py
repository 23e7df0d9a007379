"""Pure functions and frozen dataclasses; no module here knows a screen."""
