"""What is measured: makima itself, a plain kopf operator, and a raw watch loop. Each is a process of its own."""
