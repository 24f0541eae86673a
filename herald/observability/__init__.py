"""What Herald is watched by, as code: objectives, alerts and dashboards (`deploy/alerts`, `deploy/dashboards`)."""
