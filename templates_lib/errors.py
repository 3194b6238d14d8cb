"""What can go wrong with templates."""

from kernel.errors import Conflict, Invalid, Unprocessable


class TemplateBroken(Invalid):
    """This template's folder is not complete or not valid."""

    code = "template_broken"


class TemplateTestsFail(Unprocessable):
    """A test of this template fails; it is not published."""

    code = "template_tests_fail"


class VersionFixed(Conflict):
    """This version is published with other content; a published version never changes."""

    code = "version_fixed"


class Recalled(Conflict):
    """This version was recalled and is not installed any more."""

    code = "template_recalled"


class AlreadyInstalled(Conflict):
    """This template is installed in this client already."""

    code = "already_installed"
