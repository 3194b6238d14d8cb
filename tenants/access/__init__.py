"""People, what they may do, and how they prove who they are. One identity may work for several partners and clients."""
