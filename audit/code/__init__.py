"""Python code as one program: names across modules, the call graph, what reaches what."""
