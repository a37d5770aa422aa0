"""The CEL rules of the CRDs, by the model class that they belong to (design, "Enforced by the API server itself").

Here is what one object alone, or an object and its predecessor, can decide at a price the API server accepts.
Relations between parts of an object are in `policies/`. The state table comes from `makima.domain.reconcile.states`.

What one field alone can decide is a rule of that field (`FIELD_RULES`), not of the object around it: for each `self.x`
the API server builds a map of all of the object's fields (apiextensions' `Structural.Properties`). With the transition
rules on a status of 26 fields, that was a sixth of its CPU (pprof, 1,000 contracts of nine versions each).

`by_model` is the table of all; the rules themselves are in the module of their kind.
"""
