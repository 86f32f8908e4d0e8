"""For `pytest --lg-env environment.yaml`."""

import datetime

import pytest


@pytest.fixture
def board(strategy, target):
    strategy.transition("booted")
    return target.get_driver("FermataDriver")


def test_the_board_says_its_clock(board):
    _, _, match, _ = board.expect(r'"tick":(\d+)', timeout=30)
    assert int(match[1]) > 1


def test_a_leap_day_passes_in_a_moment(board):
    assert board.clock().rtc.date() == datetime.date(2024, 2, 29)
    board.suspend()
    board.resume(clock="+1d")
    assert board.clock().rtc.date() == datetime.date(2024, 3, 1)


def test_and_the_next_one_knows_nothing_of_that(board):
    assert board.clock().rtc.date() == datetime.date(2024, 2, 29)
