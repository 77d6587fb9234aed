"""One modem."""
