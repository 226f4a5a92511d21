"""What can be wrong with a plugin, its name or its registration."""

from codex_ml.errors import CodexError


class PluginError(CodexError):
    """Base class of every plugin error."""


class UnknownPluginError(PluginError):
    """No plugin, or no group, of this name."""


class PluginOptionError(PluginError):
    """A plugin is not named, or an option does not fit it; the nearest is named."""


class DuplicatePluginError(PluginError):
    """Two owners claim one name; the message names both."""


class DisabledPluginError(PluginError):
    """The configuration or the environment disables this plugin."""


class PluginLoadError(PluginError):
    """Importing the plugin failed; the original exception is the cause."""


class IncompatiblePluginError(PluginError):
    """The plugin is written for another version of the plugin API."""
