"""Time every contender of every case, round after round, after comparing their answers.

pytest-benchmark takes the times. It would take all rounds of a test at once; so a round is a test
of its own here, and in each round of a case every contender runs once: a busy moment doesn't fall
on the same one every time. `table.py` puts the rounds together.
"""

import time
from functools import lru_cache

import pytest
from cases import CASES, distance

ROUNDS = 5
SHORT = 0.02  # seconds: what takes less is repeated, and divided


@lru_cache(maxsize=1)
def checked(case):
    """Set a case up, compare the answers, return the contenders and how often to repeat each."""
    ready, contenders = [], case.make()
    assert len(contenders) == case.contenders
    for contender in contenders:
        start = time.perf_counter()
        answer = contender.read(contender.run())
        apart = None
        if contender.expected is not None:
            apart = distance(answer, contender.expected)
            assert apart <= contender.tolerance, f"{contender.name} is {apart:.1e} away"
        # Once more, warm: the first time compiles. Not what takes seconds anyway.
        if time.perf_counter() - start < 2:
            start = time.perf_counter()
            contender.run()
        repeat = max(1, int(SHORT / (time.perf_counter() - start)))
        ready.append((contender, apart, repeat))
    return ready


def turns():
    """Yield case, round and number of the contender, in the order in which they are run."""
    for case in CASES:
        for turn in range(1, ROUNDS + 1):
            for number in range(case.contenders):
                name = f"{case.group[0]}, {case.name}, round {turn}, no. {number + 1}"
                yield pytest.param(case, turn, number, id=name)


@pytest.mark.parametrize(("case", "turn", "number"), list(turns()))
def test_cost(case, turn, number, benchmark):
    contender, apart, repeat = checked(case)[number]
    benchmark.extra_info |= dict(
        group=case.group,
        case=case.name,
        contender=contender.name,
        package=contender.package,
        units=contender.units,
        apart=apart,
        work=contender.work,
    )
    benchmark.pedantic(contender.run, rounds=1, iterations=repeat)
