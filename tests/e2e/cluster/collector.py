"""The collector as a program of a pod: takes OTLP/HTTP on 4318 and answers GET /traces/<trace id> with the trace's edges."""

import signal

from otlp_collector import Collector  # tests/system/collector.py, mounted beside this file

if __name__ == "__main__":
    collector = Collector("0.0.0.0", 4318)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    collector.close()
