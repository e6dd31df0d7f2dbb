"""The matrices of Winograd's F(4x4, 3x3) on vectors, in few instructions; see winograd_transforms.py."""

from fractions import Fraction

from llvmlite import ir

_SIXTH, _TWELFTH, _24TH = Fraction(1, 6), Fraction(1, 12), Fraction(1, 24)


class Linear:
    """Linear combinations of vectors, with as few instructions as their coefficients allow."""

    def __init__(self, v):
        self.v, self.b = v, v.builder

    def combine(self, *terms):
        """The sum of coefficient * vector; the first coefficient is not -1."""
        total = None
        for coefficient, value in terms:
            factor = ir.Constant(self.v.type, [float(coefficient)] * self.v.lanes)
            if total is None:
                total = value if coefficient == 1 else self.b.fmul(value, factor)
            elif coefficient in (1, -1):
                total = (self.b.fadd if coefficient == 1 else self.b.fsub)(total, value)
            else:
                total = self.v.fma(value, factor, total)
        return total

    def input(self, d):
        """B' d: 6 -> 6."""
        a, e = self.combine((1, d[4]), (-4, d[2])), self.combine((1, d[3]), (-4, d[1]))
        f, g = self.b.fsub(d[4], d[2]), self.combine((2, self.b.fsub(d[3], d[1])))
        return [
            self.combine((1, d[4]), (4, d[0]), (-5, d[2])),
            self.b.fadd(a, e),
            self.b.fsub(a, e),
            self.b.fadd(f, g),
            self.b.fsub(f, g),
            self.combine((1, d[5]), (4, d[1]), (-5, d[3])),
        ]

    def output(self, m):
        """A' m: 6 -> 4."""
        p, s = self.b.fadd(m[1], m[2]), self.b.fsub(m[1], m[2])
        u, t = self.b.fadd(m[3], m[4]), self.b.fsub(m[3], m[4])
        return [
            self.b.fadd(self.b.fadd(m[0], p), u),
            self.combine((1, s), (2, t)),
            self.combine((1, p), (4, u)),
            self.b.fadd(self.combine((1, s), (8, t)), m[5]),
        ]

    def gradient(self, y):
        """A y: 4 -> 6, the transpose of output."""
        p, q = self.b.fadd(y[0], y[2]), self.b.fadd(y[1], y[3])
        r, s = self.combine((1, y[0]), (4, y[2])), self.combine((2, y[1]), (8, y[3]))
        return [
            y[0],
            self.b.fadd(p, q),
            self.b.fsub(p, q),
            self.b.fadd(r, s),
            self.b.fsub(r, s),
            y[3],
        ]

    def filter(self, g):
        """G g: 3 -> 6."""
        even, odd = self.combine((-_SIXTH, g[0]), (-_SIXTH, g[2])), self.combine((_SIXTH, g[1]))
        near, far = self.combine((_24TH, g[0]), (_SIXTH, g[2])), self.combine((_TWELFTH, g[1]))
        return [
            self.combine((Fraction(1, 4), g[0])),
            self.b.fsub(even, odd),
            self.b.fadd(even, odd),
            self.b.fadd(near, far),
            self.b.fsub(near, far),
            g[2],
        ]

    def filter_gradient(self, u):
        """G' u: 6 -> 3, the transpose of filter."""
        p, s = self.b.fadd(u[1], u[2]), self.b.fsub(u[2], u[1])
        q, t = self.b.fadd(u[3], u[4]), self.b.fsub(u[3], u[4])
        return [
            self.combine((Fraction(1, 4), u[0]), (-_SIXTH, p), (_24TH, q)),
            self.combine((_SIXTH, s), (_TWELFTH, t)),
            self.combine((1, u[5]), (-_SIXTH, p), (_SIXTH, q)),
        ]


def both_sides(transform, block):
    """The transform along the columns of a block of vectors, then along its rows."""
    columns = [transform([row[c] for row in block]) for c in range(len(block[0]))]
    return [transform([column[r] for column in columns]) for r in range(len(columns[0]))]
