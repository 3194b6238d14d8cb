"""What needs a person: cases (exceptions) with cause, money and due time, and the decisions people take on them."""
