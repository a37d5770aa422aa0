"""What is measured: start, latency, life, failover. Each contender gets a sandbox of its own for each."""
