"""Protocols, studies and spaces: frozen values, and how files become them."""
