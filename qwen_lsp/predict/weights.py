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
ENDS = 106  # the line ends: as in `Scene.deeper`, in 3 states of the brackets, after 7 classes of token
CLOSES = 169  # a bracket of this line, or of one before, each as in `Scene.deeper`
RECENT = 175  # a name: 6 steps of how far back it stood last, then the same of names in the lines below
ONLY_BELOW = 187  # a name that stands in the lines below alone
NOWHERE = 188
MARK = 189
WORD = 190  # a number, a keyword, anything else
NONE = 191  # none of the candidates, by their number, to 6
LEAD = 198  # the places for a token that match most match nothing, less than others', as much, more
MOST = 202  # how much they match: nothing, or one of the steps of LENGTH
LEAD_ALIKE = 213  # as LEAD, of the kinds
HOME = 217  # no place for it is in the same file, or one is
SIZE = 219

FIXED, NAMED, SAME, REPLACED_NEAR, COPIED_NEAR, REPLACED_FAR, COPIED_FAR = range(7)  # roles

# Fitted on other libraries than those reported.
TABLE = """
    -0.19 -0.94 -0.53 -0.05 -0.30 0.22 0.74 0.87 0.98 1.87 -1.05 -0.22 0.00 0.59
    0.46 0.12 0.27 0.33 0.25 0.48 -0.34 -0.16 -0.22 0.18 0.30 0.28 0.87 -0.46
    -0.33 0.04 0.01 -0.04 0.08 0.18 0.22 0.68 0.11 0.08 -0.18 -0.27 -0.18 0.32
    0.09 -0.67 -0.28 -0.03 0.06 0.24 0.57 0.81 -1.00 -0.75 -0.65 -0.44 -0.10 -0.28
    -0.15 -0.15 -0.08 0.19 1.21 0.47 -0.36 -1.47 -1.78 -0.85 -0.83 -1.27 -0.02 -0.94
    -0.73 0.81 0.86 1.16 -0.89 -0.96 -0.56 -0.26 -0.80 -0.34 -1.16 -1.27 -0.76 -0.47
    0.10 0.08 -0.56 -0.43 -0.30 -0.20 0.14 0.28 0.26 0.68 1.00 0.29 -0.02 -0.21
    -0.11 -0.21 -0.70 -0.23 -0.08 0.35 -0.07 0.38 0.00 0.61 0.00 0.00 0.07 -0.36
    0.46 0.00 0.00 0.00 0.00 0.00 0.00 0.00 -0.24 -0.76 -0.37 0.00 -0.31 -0.26
    -0.41 0.00 -2.97 -0.90 1.55 -0.33 -0.63 -0.73 0.00 -1.25 -0.34 0.54 -0.93 -0.33
    -0.34 1.31 -1.71 -0.83 -1.49 -1.30 -0.22 -1.50 0.00 1.55 -0.03 -0.21 0.66 0.29
    0.34 0.00 0.12 1.00 -1.11 0.49 -0.24 0.30 -2.80 -3.69 -3.03 -1.63 -1.94 -1.61
    -1.50 0.91 0.87 1.22 0.00 -0.37 -1.75 -0.03 0.25 0.23 -0.11 -0.38 -0.42 0.04
    0.76 0.70 0.32 -0.22 0.06 -0.19 -1.17 0.25 -0.37 0.00 -0.46 -0.30 -0.17 -0.09
    0.05 0.54 -0.34 -0.58 -0.30 0.62 -0.34 -0.19 -0.07 -0.04 -0.04 0.10 0.06 -0.11
    -0.10 0.04 0.35 -0.14 -0.27 -0.14 0.44 -0.16 0.12
"""

VALUES = [exp(float(value)) for value in TABLE.split()]
