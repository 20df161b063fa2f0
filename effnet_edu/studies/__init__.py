"""The experiments behind the lessons, and their results with where each number came from."""

from effnet_edu.studies.engine import run
from effnet_edu.studies.registry import list_studies
from effnet_edu.studies.result import StudyResult, read
from effnet_edu.studies.trained import trained_network

__all__ = ["StudyResult", "list_studies", "read", "run", "trained_network"]
