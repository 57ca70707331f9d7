"""The four services. They talk by messages, never by import."""
