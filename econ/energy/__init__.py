"""Energy: joules, watts, carbon and water for a token, with the boundary in view."""
