"""The demonstration: a year of real flights, replayed month by month."""
