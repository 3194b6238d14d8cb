"""What makes the product start: on a bare machine, in containers, and with a simulated world to talk to."""
