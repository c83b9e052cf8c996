"""The agency desk (经办): an endpoint and a schema of its own, for staff who sign in there."""
