"""What a user can put right: bad settings and images that aren't there. Commands show these without a traceback."""


class UserError(ValueError):
    """Bad input or a bad setting.

    The message names the file or setting, the place, what was found, what was expected and what to do.
    """


class DataError(UserError):
    """A data set, image or annotation that can't be used as it is."""


class ConfigError(UserError):
    """A setting that doesn't exist, doesn't fit, or contradicts another."""
