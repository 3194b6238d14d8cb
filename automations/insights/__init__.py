"""What it all amounts to: facts per order, key figures that open their rows, one timeline per order."""
