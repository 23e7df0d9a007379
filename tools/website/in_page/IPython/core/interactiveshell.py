"""The shell that is not there."""


class InteractiveShell:
    """Asked by widgets whether it is there."""

    @classmethod
    def initialized(cls):
        """No."""
        return False
