"""Faults of the network: a proxy on every link of the engine, whose toxics change while connections are open."""
