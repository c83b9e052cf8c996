"""The edge: GraphQL over HTTP and WebSocket. Sees commands, views and refusals, never a table."""
