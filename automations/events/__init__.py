"""Everything that happened, as CloudEvents rows: taken in once, checked against its contract, told to rooms above."""
