"""The privacy room: where people's data stand, finding, exporting and erasing one person, how long data are kept."""
