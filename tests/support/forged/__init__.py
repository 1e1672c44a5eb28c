"""Algebraic forgeries by kind; importing a module puts its forgeries into the register."""
