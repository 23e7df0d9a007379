"""A neutral scoreboard: this kit and its peers, asked about the same measured runs.

    python -m bench.scoreboard --environments FOLDER

puts every measured run (the shipped samples, or full files given by ``--runs`` and ``--medians``)
to each peer of `PEERS`, in an environment of its own under FOLDER with the versions pinned in
``requirements/`` (made on the first run), and prints errors by metric, accelerator, engine, model
and half-year, with what a peer could not answer, and intervals of the paired difference.
``--write`` renews ``data/latency/scoreboard.csv`` and ``scoreboard_tools.csv``.

What makes it neutral:

* This kit is scored on runs of configurations that its fit has not seen; lines with a whole
  accelerator or model left out stand beside it.
* A peer is asked under several documented settings (``adapters/``); the one that answers most and
  then errs least *on these very runs* is the one that counts. Nothing of ours is chosen so.
* A question that a peer refuses, or answers without a number, is counted as not answered, with the
  reasons. A difference compares the runs that both answered.
* Errors are resampled by configuration, since runs of one configuration err together.
"""
