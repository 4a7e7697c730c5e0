"""The HTTP side: the socket, the routes, the endpoints, and the state between requests."""
