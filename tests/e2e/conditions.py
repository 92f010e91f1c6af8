"""Waiting for conditions of a cluster: asked seldom enough that the asking is no load."""

from functools import partial

from swaprail.testing import conditions

until = partial(conditions.until, every_s=0.5)
