"""What a rank says when another one failed."""


class RankError(RuntimeError):
    """Another rank failed, or said something else, so that this one cannot go on."""
