"""Where the time goes: the services sampled at a steady rate and at saturation, and an order's spans."""

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.load.figures import Figures
from tests.load.latency_run import DEMO, WARM_UP_S, latency_run
from tests.load.local_run import LocalRun, local_run
from tests.load.open_loop import OpenLoop
from tests.load.options import Layout, Options
from tests.load.sampling import Profile, profiles
from tests.load.spans import Step, steps_of
from tests.load.throughput_run import throughput_run
from tests.system.collector import Collector

LOADS = {"steady": latency_run, "saturated": throughput_run}


class Sampled(NamedTuple):
    """The profile of each process under one load."""

    load: str
    orders: float
    processes: list[Profile]


async def profile_run(options: Options, layout: Layout, load: str) -> Sampled:
    with tempfile.TemporaryDirectory() as name:
        figures: Figures = await LOADS[load](options.of(profile_dir=Path(name)), layout)
        return Sampled(load, figures["orders"], profiles(Path(name), figures))


async def traced_run(options: Options, layout: Layout) -> list[Step]:
    """Trace every order of a steady load; the figures of this run are used for nothing else."""
    with closing(Collector()) as collector:
        traced = {"otel_exporter_otlp_endpoint": collector.endpoint, "trace_sample_ratio": 1}
        async with local_run(layout, **DEMO, **traced) as engine:
            await _place(engine, WARM_UP_S * options.rate, options.rate)
            began_ns = time.time_ns()
            await _place(engine, options.seconds * options.rate, options.rate)
        return steps_of((service, span) for service, span in collector.spans if span.start_time_unix_nano >= began_ns)


async def _place(engine: LocalRun, orders: int, rate: int) -> None:
    await OpenLoop(engine.url, engine.ws_url).run(range(orders), rate)
