"""The terminal user interface of `makima contracts monitor`.

What is shown is decided by pure functions (`rows`, `attention`, `filtering`, `ordering`, `columns`, `detail`, `feed`);
`world` keeps what the source told; `screens/` and `widgets/` put it on the terminal with Textual; `live` is the source
by a kubeconfig.
"""

from __future__ import annotations

from makima.tui.start import run

__all__ = ["run"]
