# For progenitor, whose client has no method OPTIONS, and one kind of body for each operation: one
# of these.
del(.paths[].options) | (.paths[][].requestBody | select(.).content) |= ([to_entries[]
    | select(.key | IN("application/json", "application/octet-stream"))][:1] | from_entries)
