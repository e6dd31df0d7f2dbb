"""Random numbers by counting: words of 32 bits that hang on a seed, a counter and a place alone, and numbers from them.

Plain Python that both backends compile, and the reference runs on arrays. A generator is an array [seed, counter] of
int64; one launch draws with one counter, and element i takes word i % 4 of block i // 4.
Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox4x32-10).
"""

import math

import numpy as np

ROUNDS, WORDS = 10, 4  # WORDS: of a block
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
INCREMENTS = 0x9E3779B9, 0xBB67AE85  # of a key in each round: the golden ratio, sqrt(3) - 1

_MASK, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_M0, _M1 = map(np.uint64, MULTIPLIERS)
_W0, _W1 = map(np.uint64, INCREMENTS)

# A uniform number is the upper 24 bits of a word, which float32 holds without rounding.
_UPPER, _UNIT = np.uint64(8), 2.0**-24
_QUARTER = 2.0**22  # of a turn, in such numbers
_SINE = [(-1) ** k / math.factorial(2 * k + 1) for k in range(8)]
_COSINE = [(-1) ** k / math.factorial(2 * k) for k in range(9)]


def block(index, counter, seed):
    """The four words at a place, each of 32 bits in a uint64; what is given is uint64 too."""
    c0, c1, c2, c3 = index & _MASK, index >> _SHIFT, counter & _MASK, counter >> _SHIFT
    k0, k1 = seed & _MASK, seed >> _SHIFT
    for _ in range(ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


def threshold(rate):
    """The least word that is kept where a share `rate` of all is dropped."""
    return min(round(rate * 2**32), 2**32 - 1)


def uniform(word):
    """The upper bits of a word, as an int64 in 0..2^24 - 1."""
    return np.int64(word >> _UPPER)


def circle(m):
    """(sine, cosine) of numbers within an eighth of a turn of 0, in their type, by the words of `m`."""
    like = m.like
    s0, s1, s2, s3, s4, s5, s6, s7 = _SINE
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = _COSINE

    def sine(t):
        z = t * t
        high = ((like(t, s7) * z + like(t, s6)) * z + like(t, s5)) * z + like(t, s4)
        return t * (
            (((high * z + like(t, s3)) * z + like(t, s2)) * z + like(t, s1)) * z + like(t, s0)
        )

    def cosine(t):
        z = t * t
        high = ((like(t, c8) * z + like(t, c7)) * z + like(t, c6)) * z + like(t, c5)
        high = ((high * z + like(t, c4)) * z + like(t, c3)) * z + like(t, c2)
        return (high * z + like(t, c1)) * z + like(t, c0)

    return m.function(sine), m.function(cosine)


def normals(m):
    """pair(a, b): two numbers of the standard normal distribution from two uniform ones, in the type of these.

    By the words of `m`: like, where, log, sqrt, floor and function, as in scalars.py. Source: Box & Muller, 1958.
    """
    like, where, log, sqrt = m.like, m.where, m.log, m.sqrt
    lower_of, (sine, cosine) = m.floor, circle(m)

    def pair(a, b):
        length = sqrt(like(a, -2) * log((a + like(a, 1)) * like(a, _UNIT)))
        quarter = like(a, lower_of(b * like(a, 1 / _QUARTER) + like(a, 0.5)))  # 0 to 4
        t = (b - quarter * like(a, _QUARTER)) * like(a, math.pi / 2 / _QUARTER)
        s, c = sine(t), cosine(t)
        odd, second = (quarter == like(a, 1)) | (quarter == like(a, 3)), quarter == like(a, 2)
        across, along = where(odd, s, c), where(odd, c, s)
        across = where(second | (quarter == like(a, 1)), -across, across)
        along = where(second | (quarter == like(a, 3)), -along, along)
        return length * across, length * along

    return m.function(pair)
