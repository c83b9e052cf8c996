"""亲情账户: relatives who act for somebody, by consent, within scopes, for a year at a time."""
