"""``@@mailbridge-metrics``: how the bridge does, as text for Prometheus."""
