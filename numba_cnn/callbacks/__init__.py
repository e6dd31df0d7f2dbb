"""Callbacks, by Keras's names."""

from numba_cnn import nearest
from numba_cnn.callbacks.averages import SwapEMAWeights
from numba_cnn.callbacks.backup import BackupAndRestore
from numba_cnn.callbacks.callback import Callback, History, LambdaCallback
from numba_cnn.callbacks.callback_list import CallbackList
from numba_cnn.callbacks.checkpoint import ModelCheckpoint
from numba_cnn.callbacks.monitor import EarlyStopping, ReduceLROnPlateau
from numba_cnn.callbacks.progbar_logger import ProgbarLogger
from numba_cnn.callbacks.remote import RemoteMonitor
from numba_cnn.callbacks.schedule import CSVLogger, LearningRateScheduler, TerminateOnNaN
from numba_cnn.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

__getattr__ = nearest.attributes(__name__, __all__)
