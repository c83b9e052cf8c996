"""One of the app's six groups; one file a module."""
