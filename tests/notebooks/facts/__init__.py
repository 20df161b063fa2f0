"""What the prose of each lesson states in numbers, counted again: a file a lesson, found by its name.

FACTS maps a piece of prose, word for word, to a function. Either it returns the numbers that stand in that
piece, in their order, and each must be equal after rounding to as many decimals as the lesson prints; or it
returns whether a statement in words is true. CHOICES maps a number that is no result to the reason why it
stands there. Every number in the prose of two digits or more, or with decimals, must be in one of the two.
"""
