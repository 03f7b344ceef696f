"""The process that holds a model: what may be asked of it, the server, and the client that the screens use."""
