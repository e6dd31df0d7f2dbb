"""Models after well-known shapes, small enough to train for three steps, beside Keras from the same weights."""
