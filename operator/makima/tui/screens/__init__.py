"""The screens of the monitor: list, detail, inbox, help, and the dialogs in which a person decides."""
