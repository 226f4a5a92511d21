"""What is audited: a working tree, a revision in Git, a folder."""
