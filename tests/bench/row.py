"""Lines of the table, and work that may fail without ending the others."""

import math
import signal

from world import exponent


def row(what, value, unit, reference=None, of="", limit=None, note="", of_value=False, points=None):
    """One line of the table. limit: of the ratio; of the value where nothing stands beside it, or
    with of_value. points: what a growth was fitted to. Returns: a dictionary, as in the JSON
    file."""
    ratio = value / reference if reference and value is not None else None
    of_value = of_value or not reference
    held = ratio if not of_value else value
    return {"what": what, "value": value, "unit": unit, "reference": reference, "of": of,
            "ratio": ratio, "limit": limit, "limit_of": "value" if of_value else "ratio",
            "held": None if limit is None or held is None else held <= limit, "note": note,
            **({"points": points} if points else {})}


def missing(what, why):
    """What this machine cannot measure."""
    return row(what, None, "", note="not measured: " + why)


def failed(what, error):
    return {**row(what, None, "", note=f"{type(error).__name__}: {error}"), "failed": True}


def grown(what, points):
    """How values grow with N, by the two largest and by all. points: (N, value)."""
    if len(points) < 2:
        return missing(f"{what}: growth", "there is one size")
    slope = exponent(points[-2:])
    every = exponent(points)
    return row(f"{what}: grows as N to the power of", slope, "", limit=1.1, points=points,
               note=f"between {points[-2][0]} and {points[-1][0]}; {every:.2f} over all sizes, "
               "with what does not grow")


def attempts(context, *works):
    """Runs each (what, work): work returns rows. One that fails, or takes too long, is a row that
    says so; what it began is ended, and the next has its turn."""
    for what, work in works:
        began = len(context.open)
        signal.alarm(context.patience_s)  # an attempt within begins it anew
        try:
            yield from work()
        except Exception as error:  # pylint: disable=broad-except # whatever it is: the next row
            yield failed(what, error)
        finally:
            signal.alarm(context.patience_s if began else 0)
            context.close(began)


def too_late(context):
    """Returns: what SIGALRM calls. Who waits for a file system gets an error when it is gone."""
    def handler(*_):
        for thing in context.open:
            thing.process.kill()
        raise TimeoutError(f"not done after {context.patience_s} s")
    return handler


def per(seconds, n):
    """Microseconds each."""
    return seconds * 1e6 / n if n else math.nan
