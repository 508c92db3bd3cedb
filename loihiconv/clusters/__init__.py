"""Clusters of dask, by name or client, and jobs on their workers."""
