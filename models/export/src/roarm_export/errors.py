"""The one error of the exporter."""


class ExportError(Exception):
    """A checkpoint or an argument that cannot become a bundle: what is wrong, and what to do about it."""

    def __init__(self, cause: str, fix: str):
        super().__init__(f"{cause}\n  fix: {fix}")
        self.cause = cause
        self.fix = fix
