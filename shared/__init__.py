"""What the services share: the messages, the bus, the feed configuration and how a service runs."""
