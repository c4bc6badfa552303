"""`trimtab`, also as `kubectl trimtab`: what the objects hold, made easy to look at.

Reads with the rights of whoever types it, and writes nothing to the cluster. `cluster` asks, `report` puts together
(pure), `terminal` and `page` show.
"""
