"""The mathematics in NumPy, for any float dtype: the specification that every backend repeats, name by name.

A kernel gets checked, contiguous arrays, the geometry that shapes.py worked out, and fills the outputs, which come
last: contract.py has the rows.
"""

from numba_cnn.backends.contract import offer

offer(__name__)
