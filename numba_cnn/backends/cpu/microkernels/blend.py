"""A pixel between four others, a vector of channels at a time."""

from numba_cnn.backends.cpu.codegen.microkernel import emitted


@emitted(x="annn", shares="ff", y="a", channels="n", nontemporal="?")
def blend_pixels(v, x, shares, y, channels, nontemporal):
    """y[c] for c < channels: the mean of four pixels by distance; past the caches, if `nontemporal`.

    x        (array, start, how far the pixel to the right lies, that below, and that below to the right)
    shares   (of the pixels on the right, of those below)
    """
    (x, *others), b = x, v.builder
    (across, down), one = map(v.splat, shares), v.one
    left, up = b.fsub(one, across), b.fsub(one, down)

    def value(c, mask):
        places = [c, *(b.add(c, other) for other in others)]
        p, q, s, t = (v.load(b.gep(x, [place]), mask) for place in places)
        upper = v.fma(p, left, b.fmul(q, across))
        lower = v.fma(s, left, b.fmul(t, across))
        return v.fma(upper, up, b.fmul(lower, down)), b.gep(y, [c])

    def blended(places, mask):
        return [value(c, mask) for c in places]

    v.store_each(channels, blended, nontemporal)
