"""The command: prints the shares, and every call that was not right."""

import argparse

from .calls import run, shares


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcomes = run(arguments.calls, arguments.seed)
    wrong = {o.call: o for o in outcomes if o.verdict != "right"}
    for outcome in sorted(wrong.values()):
        print(f"{outcome.verdict:9} {outcome.call}  {outcome.error[:160]!r}")
    print(f"{len(outcomes)} calls, seed {arguments.seed}")
    for verdict, count in shares(outcomes).items():
        print(f"{verdict:9} {count:6}  {100 * count / len(outcomes):5.1f} %")


if __name__ == "__main__":
    main()
