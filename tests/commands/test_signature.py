import functools
import inspect

from loihiconv.commands.signature import with_parameters


def test_a_wrapper_takes_the_given_parameters_by_keyword() -> None:
    def command(model: str) -> None:
        """What it does."""

    @functools.wraps(command)
    def wrapper(**given: object) -> None:
        pass

    options = [inspect.Parameter("shape", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation="str | None")]
    put_together = with_parameters(wrapper, options)
    assert str(inspect.signature(put_together)) == "(*, shape: 'str | None' = None)"
    assert (put_together.__name__, put_together.__doc__) == ("command", "What it does.")
