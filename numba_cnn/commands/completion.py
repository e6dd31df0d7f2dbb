"""numba-cnn completion."""

from __future__ import annotations

import argparse

HELP = """print what has a shell complete commands and options

  eval "$(numba-cnn completion bash)"     in ~/.bashrc
  eval "$(numba-cnn completion zsh)"      in ~/.zshrc"""

_BASH = """\
_numba_cnn() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words
  case "${{COMP_WORDS[1]}}" in
{cases}
    *) words="{commands}" ;;
  esac
  ((COMP_CWORD == 1)) && words="{commands}"
  COMPREPLY=()
  [[ $COMP_CWORD == 1 || $word == -* ]] && COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _numba_cnn numba-cnn
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh"))


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import commands

    parser = commands.parser()
    (found,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    cases = "\n".join(
        f'    {name}) words="{" ".join(word for a in one._actions for word in a.option_strings)}" ;;'
        for name, one in found.choices.items()
    )
    if arguments.shell == "zsh":
        print("autoload -U +X bashcompinit && bashcompinit")
    print(_BASH.format(cases=cases, commands=" ".join(found.choices)), end="")
    return None
