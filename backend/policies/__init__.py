"""Policy documents, news and outages (停机公告). So far outages, which every flow must ask about."""
