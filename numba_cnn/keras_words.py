"""Words of Keras's that scripts use and this library does not serve yet, by namespace.

They turn "no such name" into "not served yet". Tests ask real Keras whether it has each.
"""

from __future__ import annotations

_TEXTS = {
    "numba_cnn": """
        Model Variable applications backend constraints distribution mixed_precision preprocessing regularizers
        saving utils
    """,
    "models": "Model clone_model model_from_json save_model",
    "layers": """
        Add AveragePooling2D BatchNormalization Bidirectional Concatenate Conv1D Conv2DTranspose Conv3D
        DepthwiseConv2D Dropout Embedding GRU GaussianNoise GlobalAveragePooling2D GlobalMaxPooling2D LSTM Lambda
        LayerNormalization LeakyReLU MultiHeadAttention Normalization PReLU RandomFlip RandomRotation RandomZoom
        Rescaling Reshape Resizing SeparableConv2D SimpleRNN SpatialDropout2D TimeDistributed UpSampling2D
        ZeroPadding2D
    """,
    "optimizers": "AdamW Adadelta Adafactor Adagrad Adamax Ftrl Lion Nadam schedules",
    "losses": """
        BinaryCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy CosineSimilarity Hinge Huber
        KLDivergence MeanAbsoluteError MeanSquaredError Poisson binary_crossentropy categorical_crossentropy
        mean_absolute_error mean_squared_error hinge huber poisson
    """,
    "metrics": """
        AUC Accuracy BinaryAccuracy CategoricalAccuracy F1Score MeanAbsoluteError MeanSquaredError Precision Recall
        SparseTopKCategoricalAccuracy TopKCategoricalAccuracy binary_accuracy categorical_accuracy
        mean_absolute_error mean_squared_error
    """,
    "callbacks": "BackupAndRestore ProgbarLogger RemoteMonitor SwapEMAWeights TensorBoard",
    "datasets": "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters",
    "initializers": "Identity Orthogonal STFT",
    "activations": """
        celu elu exponential gelu hard_sigmoid hard_silu leaky_relu log_softmax mish relu6 selu sigmoid silu
        softplus softsign swish tanh
    """,
    "arguments": """
        activity_regularizer amsgrad beta_constraint bias_constraint bias_regularizer centered clipnorm clipvalue
        dtype ema_momentum global_clipnorm gradient_accumulation_steps jit_compile kernel_constraint
        kernel_regularizer loss_scale_factor loss_weights reduction run_eagerly steps steps_per_epoch
        steps_per_execution use_ema validation_steps weight_decay weighted_metrics
    """,
}
WORDS = {namespace: words.split() for namespace, words in _TEXTS.items()}
