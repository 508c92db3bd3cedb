"""Networks on Intel's Lava, in an operating system process of their own.

`client` is the caller's side and imports no Lava; `worker` runs in the interpreter that has it. They meet in a folder
described by `job`. Nothing is imported here, so that each side loads only what it needs.
"""
