"""Loading leaves Python's collector of garbage as it was."""

import gc

import pytest

from numba_cnn.uncollected import load, uncollected


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_runs_again_if_it_ran_before(collects):
    before = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() is collects
        with pytest.raises(ModuleNotFoundError):
            load("numba_cnn.nothing")
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()


def test_what_is_made_meanwhile_is_old_and_found_where_it_is_garbage():
    with uncollected():
        ring = []
        ring.append(ring)
    assert any(one is ring for one in gc.get_objects(2))
    assert not gc.get_freeze_count()
    del ring
    assert gc.collect() >= 1


def test_objects_that_somebody_has_put_aside_stay_there():
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        with uncollected():
            pass
        assert gc.get_freeze_count() == count > 0
    finally:
        gc.unfreeze()
