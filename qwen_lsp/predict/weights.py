"""What each thing a vote rests on is worth: the rows of one table, fitted by `bench/predict_fit.py`.

A place votes for the token that follows it there with the product of its rows; the votes for a token are
added up and multiplied by the token's own rows. The table holds logarithms, the predictor multiplies.
"""

from __future__ import annotations

from math import exp

LENGTH = 0  # places with the same last tokens: 10 steps of how many, in another file, then in the same
BELOW = 20  # tokens of the line below that agree, to 6
SHAPE_BELOW = 27  # and of how many the kinds agree, to 8
DISTANCE = 36  # 5 steps of the distance from the cursor
AWAY = 41  # in another file
REPLACED = 42  # the token there stood before it, where another one stands here
COPIED = 43  # that other one
ALIKE = 44  # places with the same kinds only: 7 roles of the token, each in 6 steps of how many
LIKE_BELOW = 86
LIKE_DISTANCE = 95
LIKE_EXACT = 100  # last tokens that are the same, to 5
ENDS = 106  # the line ends: 3 states of the brackets, each after 7 classes of token
CLOSES = 127  # a bracket of this line, or of one before
RECENT = 129  # a name: 6 steps of how far back it stood last, in the next lines, or none of these
MARK = 137
WORD = 138  # a number, a keyword, anything else
NONE = 139  # none of the candidates, by their number, to 6
LEAD = 146  # the places for a token that match most match nothing, less than others', as much, more
MOST = 150  # how much they match: nothing, or one of the steps of LENGTH
LEAD_ALIKE = 161  # as LEAD, of the kinds
HOME = 165  # no place for it is in the same file, or one is
SIZE = 167

FIXED, NAMED, SAME, REPLACED_NEAR, COPIED_NEAR, REPLACED_FAR, COPIED_FAR = range(7)  # roles

# Fitted on other libraries than those reported.
TABLE = """
    -0.62 -1.00 -0.44 0.07 -0.28 0.20 0.52 0.84 1.10 1.72 -0.85 -0.41 0.10 0.47
    0.23 0.34 0.17 0.26 0.37 0.41 -0.30 0.03 -0.15 0.28 0.26 0.49 1.00 -0.35
    -0.47 0.06 0.25 -0.05 0.15 0.44 0.26 0.63 -0.03 -0.07 -0.22 -0.35 -0.27 0.12
    0.03 -0.72 -0.32 -0.03 0.12 0.47 0.53 0.79 -0.80 -0.88 -0.56 -0.69 -0.20 -0.06
    -0.20 -0.10 0.44 0.29 0.49 0.67 -0.65 -1.01 -0.92 -0.83 -1.16 -0.99 -0.63 -1.07
    -0.12 -0.17 0.72 0.79 -0.72 -0.22 -0.68 -0.68 -0.65 -0.36 -0.80 -1.50 -1.03 -0.24
    0.16 0.15 -0.64 -0.48 -0.27 -0.38 0.08 -0.18 0.34 0.14 1.10 0.31 -0.04 -0.14
    -0.30 -0.25 -0.64 -0.14 -0.11 0.44 -0.08 0.30 0.00 0.45 -0.35 0.79 0.71 0.23
    0.17 0.00 -0.01 1.24 -0.52 0.29 -0.31 0.20 -0.07 -2.93 -1.82 -1.69 -1.74 -1.14
    -1.61 1.11 -1.40 -0.07 0.39 0.26 -0.14 -0.20 -0.30 -0.23 -1.31 0.21 -0.54 0.00
    -0.61 -0.46 -0.37 -0.10 -0.24 0.37 -0.32 -0.45 -0.29 0.67 -0.32 -0.34 0.02 -0.04
    0.10 0.09 0.02 -0.01 -0.05 -0.06 0.55 -0.18 -0.31 -0.16 0.41 -0.18 0.00
"""

VALUES = [exp(float(value)) for value in TABLE.split()]
