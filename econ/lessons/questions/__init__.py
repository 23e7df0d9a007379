"""The questions of the course: one module a lesson, found by its file and imported by
`econ.lessons.question.questions_of` when one of its questions is first asked for.

A module ``qNN.py`` calls `econ.lessons.question.question`; nothing else needs to know it.
"""
