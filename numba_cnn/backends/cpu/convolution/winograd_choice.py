"""When Winograd's transforms pay for themselves, and in which of the modules winograd*.py.

All of it follows from shapes, so that no result depends on timings or threads; docs/algorithms.md has the figures.
"""

from numba_cnn.backends.cpu.codegen.vector import lanes
from numba_cnn.backends.cpu.convolution import direct_small_f
from numba_cnn.backends.cpu.convolution.problem import FORWARD, WEIGHT_GRADIENT
from numba_cnn.backends.cpu.microkernels.brgemm import NR_VECTORS
from numba_cnn.backends.cpu.microkernels.winograd_transforms import COLOURS, PLANES

# The fewest channels that are transformed; of a weight gradient, the fewest channels and the fewest filters.
MIN_CHANNELS = 8
# The fewest filters of images of three channels, whose output is not pooled: winograd_rgb.py.
MIN_FILTERS_RGB = 32
# The fewest patches: by default; where filters must be turned around first, which takes as long as their transforms;
# where winograd_nonfused.py runs, which does not store the transforms of filters.
MIN_PATCHES, MIN_PATCHES_TRANSPOSED, MIN_PATCHES_NONFUSED = 9, 16, 4
# The fewest pairs of channel and filter for which winograd_nonfused.py gains.
MIN_WEIGHTS_NONFUSED = 1 << 14
# The largest plane of transformed patches in its forward pass, in elements: products of larger ones leave the caches.
MAX_PLANE_NONFUSED = 1 << 15
# The most elements of transformed patches and gradients that its weight gradient keeps in memory.
MAX_TRANSFORMED = 1 << 22
# The most elements of filters whose transforms a recording keeps from run to run.
FILTER_CACHE_LIMIT = 1 << 18


def transforms_pay(problem):
    """Whether Winograd's algorithm is asked for, or takes less time than the direct sums."""
    if problem.algorithm == "winograd":
        return True
    return _has_enough_channels(problem) and patches(problem) >= min_patches(problem)


def patches(problem):
    """How many patches of 4x4 the outputs of a batch have."""
    return patches_of(problem.image[0], problem.output)


def patches_of(images, output):
    """How many patches so many outputs have."""
    return images * -(-output[0] // 4) * -(-output[1] // 4)


def min_patches(problem):
    """The fewest patches for which the transforms pay."""
    if is_nonfused(problem):
        return MIN_PATCHES_NONFUSED
    return MIN_PATCHES_TRANSPOSED if problem.transposed else MIN_PATCHES


def is_nonfused(problem):
    """Whether filters are so many, and patches so few, that winograd_nonfused.py gains."""
    C, F = problem.image[3], problem.filters
    if C * F < MIN_WEIGHTS_NONFUSED:
        return False
    if problem.of == WEIGHT_GRADIENT:
        return PLANES * patches_of(1, problem.output) * (C + F) <= MAX_TRANSFORMED
    return patches(problem) * C <= MAX_PLANE_NONFUSED


def is_rgb(problem):
    """Whether winograd_rgb.py can compute the problem: images in colour, and filters that fill whole panels."""
    wide = NR_VECTORS * lanes(problem.dtype)
    return problem.image[3] == COLOURS and problem.filters % wide == 0 and not problem.pooled


def caches_filters(problem):
    """Whether a recording keeps the transforms of the filters, and computes them again only when they have changed."""
    size = 9 * problem.image[3] * problem.filters
    return problem.persists and problem.of == FORWARD and size <= FILTER_CACHE_LIMIT


def why_not(problem):
    """What a problem that "auto" could give to Winograd's algorithm has too few of, in words; or None."""
    if not problem.g.winograd or problem.algorithm != "auto" or transforms_pay(problem):
        return None
    C, F = problem.image[3], problem.filters
    if _has_enough_channels(problem):
        return f"{patches(problem)} patches, Winograd's transforms need {min_patches(problem)}"
    if problem.of == WEIGHT_GRADIENT:
        return f"{C} channels and {F} filters, Winograd's transforms need {MIN_CHANNELS} of each"
    if C < MIN_CHANNELS:
        return f"{C} channels, Winograd's transforms need {MIN_CHANNELS}"
    return f"{F} filters, too few for Winograd's transforms of {C} channels"


def _has_enough_channels(problem):
    C, F = problem.image[3], problem.filters
    if problem.of == WEIGHT_GRADIENT:
        return min(C, F) >= MIN_CHANNELS
    if problem.of == FORWARD and is_rgb(problem) and F >= MIN_FILTERS_RGB:
        return True
    return C >= MIN_CHANNELS and not direct_small_f.beats_winograd(problem)
