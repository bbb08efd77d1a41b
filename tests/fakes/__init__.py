"""Stand-ins for what the product talks to. They speak the real protocols on loopback."""
