"""Who minimises what: one file per method, named as its paper names it."""
