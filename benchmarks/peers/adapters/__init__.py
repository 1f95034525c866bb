"""One module a peer: each runs in the peer's own environment and speaks `benchmarks.peers.protocol`."""
