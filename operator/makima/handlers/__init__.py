"""kopf's side of the operator: thin. A handler hands the object on and returns; decisions and writes are elsewhere.

`kopf run -m makima.handlers` and `makima operator` register the same handlers.
"""

from makima import parent_package as parent_package  # before kopf, which looks whether there is a package kubernetes
from makima.handlers import contracts, lifecycle

__all__ = ["contracts", "lifecycle"]
