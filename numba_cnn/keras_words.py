"""Words of Keras's that scripts use and this library does not serve yet, by namespace.

They turn "no such name" into "not served yet". Tests ask real Keras whether it has each.
"""

from __future__ import annotations

_TEXTS = {
    "numba_cnn": "Variable applications distribution mixed_precision",
    "layers": """
        Bidirectional CategoryEncoding Conv3D ConvLSTM2D Embedding GRU LSTM Lambda
        MultiHeadAttention SimpleRNN StringLookup TimeDistributed
    """,
    "optimizers": "Adafactor Lamb LossScaleOptimizer Muon",
    "losses": "CTC Circle circle ctc",
    "metrics": "ConcordanceCorrelation MeanMetricWrapper PearsonCorrelation",
    "config": """
        disable_flash_attention enable_flash_attention is_flash_attention_enabled is_nnx_enabled max_epochs
        max_steps_per_epoch set_backend set_max_epochs set_max_steps_per_epoch
    """,
    "datasets": """
        boston_housing california_housing imdb reuters
    """,
    "initializers": "STFT",
    "activations": "glu sparse_plus sparse_sigmoid sparsemax threshold",
    "saving": "KerasFileEditor",
    "utils": """
        FeatureSpace audio_dataset_from_directory get_source_inputs text_dataset_from_directory
        timeseries_dataset_from_array
    """,
    "preprocessing": "text_dataset_from_directory timeseries_dataset_from_array",
    "arguments": "reduction",
}
WORDS = {namespace: words.split() for namespace, words in _TEXTS.items()}
