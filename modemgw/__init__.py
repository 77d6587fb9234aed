"""modemgw: an SMS gateway on your own SIM cards."""
