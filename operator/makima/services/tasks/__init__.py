"""Which Jobs and workspaces do tasks need, and how did the Jobs end?"""
