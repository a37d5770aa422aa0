"""Pure decisions: from values to values, `now` passed in, no I/O, no clock, no framework.

One folder for each question, named as the folder of `services` that acts on the answer; each says in its `__init__`
where to start. Beside the folders is what all of them use.
"""
