"""The docs site: sphinx-build -W docs docs/_build, which needs the extra "docs" and no network."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numba_cnn

project = "numba_cnn"
author = "The numba_cnn developers"
version = release = numba_cnn.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "*.ipynb"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
autodoc_member_order = "alphabetical"
autodoc_typehints = "none"
highlight_language = "text"
html_theme = "furo"
html_title = f"numba_cnn {version}"
html_copy_source = False

# The rooms of the reference, a page each, which are written here.
ROOMS = (
    "models", "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers",
    "regularizers", "constraints", "activations", "datasets", "preprocessing.image", "utils", "saving", "ops", "plots",
    "reports", "serving", "wrappers", "config",
)  # fmt: skip
_PAGE = """\
{name}
{line}

.. automodule:: numba_cnn.{name}
   :members:
   :imported-members:
   :inherited-members: object
   :exclude-members: {others}
"""
_OTHERS = {
    "utils": "CustomObjectScope, custom_object_scope, model_to_dot, plot_model, disable_interactive_logging, "
    "enable_interactive_logging, is_interactive_logging_enabled"
}  # which other rooms have
_reference = Path(__file__).with_name("reference")
_reference.mkdir(exist_ok=True)
for _room in ROOMS:
    _page = _PAGE.format(name=_room, line="=" * len(_room), others=_OTHERS.get(_room, ""))
    _target = _reference / f"{_room.replace('.', '_')}.rst"
    if not _target.exists() or _target.read_text() != _page:
        _target.write_text(_page)

_COLUMNS = re.compile(r"^ *\S+(?: \S+)* {2,}\S", re.MULTILINE)


def _plain(app, what, name, obj, options, lines):
    """Docstrings are plain text: tables in them stay as they are, and no mark of theirs is markup."""
    paragraphs = "\n".join(lines).strip("\n").split("\n\n")
    found = []
    for paragraph in paragraphs:
        if paragraph.startswith(">>>"):
            found += [paragraph, ""]
        elif _COLUMNS.search(paragraph) or paragraph.startswith(" "):
            found += ["::", "", *(f"    {line}" for line in paragraph.splitlines()), ""]
        else:
            found += [re.sub(r"([*`|_\\])", r"\\\1", " ".join(paragraph.split())), ""]
    lines[:] = found


def setup(app):
    app.connect("autodoc-process-docstring", _plain)
