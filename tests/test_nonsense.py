"""Calls with one nonsense argument: nothing internal comes out, and nearly all errors say what is wrong."""

import nonsense


def test_nonsense_is_refused_in_words():
    outcomes = nonsense.run(1500, seed=1)
    shares = nonsense.shares(outcomes)
    wrong = sorted({outcome for outcome in outcomes if outcome.verdict != "right"})
    assert shares["compiler"] == shares["internal"] == 0, wrong
    assert shares["right"] >= 0.97 * len(outcomes), wrong
