"""Plausible wrong answers, a file a lesson: exercise -> (code of the answer, words of its likely cause).

An answer is an expression, or statements that define the exercise's name. `math`, `functools`, `torch`, `nn`,
`F` and `ee` are there, and so is whatever `SETUP` of the same file defines.
"""
