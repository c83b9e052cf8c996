"""服务评价 (好差评): what a patient thinks of a settlement's service, and what becomes of it."""
