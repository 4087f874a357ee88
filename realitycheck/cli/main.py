"""The command line: a thin layer over the verbs, and the only place that prints."""

from __future__ import annotations

import faulthandler
import os
import sys
from datetime import datetime
from functools import partial

from realitycheck.cli.signals import LEAVES, STOPS, at_stop, early_signals, ending, leave, on_stop

INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""

COMPLETING = "_REALITYCHECK_COMPLETE"
"""Set by the completion of a shell, which ends the process once it has its answer."""

with at_stop(leave, signals=early_signals()):  # these imports take seconds
    import typer

    from realitycheck import verbs
    from realitycheck.atomic import storage_error
    from realitycheck.cli import draw_picture, exports, keeping, lists, reports, start, verdict_lines
    from realitycheck.cli.arguments import (
        Address,
        Again,
        CheckpointEvery,
        Deadline,
        Deviation,
        Device,
        Executor,
        Graphs,
        Memory,
        PerDevice,
        Pilot,
        Reuse,
        RunWorkers,
        ShowProgress,
        StudyFile,
        Until,
        UntilSearch,
        Workers,
        WorkWorkers,
    )
    from realitycheck.cli.loading import announce, load, warn
    from realitycheck.cli.plan_summary import counted, plan_table, sentences, wall_sentences
    from realitycheck.cli.progress import display, err, making, out
    from realitycheck.cli.result_lines import ended, print_end, print_failure, print_warnings, quiet, require_finished
    from realitycheck.cli.streams import printed_to, ready_streams
    from realitycheck.errors import InputError, RealityCheckError

app = typer.Typer(
    help="When every loss gets the same data, model, tuning budget and seeds, which losses really differ?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.callback()(start.every_command)
app.command()(start.init)  # the first in the help


@app.command()
def check(study: StudyFile) -> None:
    """List every problem of a study's files and data, each with its line and a code."""
    announce(study)
    with making() as watch:
        read = verbs.check_study(study, watch=watch, say=warn)
    print_warnings(read, [*verbs.study_warnings(read), *verbs.changed_sources(read)])
    losses = counted(len(read.study.losses), "loss", "losses")
    valid = f"{read.source} is valid: {losses} under protocol {read.study.protocol_name}."
    out.print(valid, markup=False, soft_wrap=True)
    if size := verbs.cache_sizes(read.path)["stores"]:
        says = f"its decoded images take {size / 1e6:,.0f} MB; `realitycheck clean {read.path}` deletes them."
        out.print(says, markup=False, soft_wrap=True)


@app.command()
def plan(study: StudyFile, workers: Workers = 2, sd: Deviation = None, pilot: Pilot = None) -> None:
    """Print what a study costs and which differences it can detect, before anything runs."""
    if sd is not None and pilot is not None:
        raise typer.BadParameter("--sd and --pilot are not allowed together. Remove one.")
    read = load(study)
    with ending(), making() as watch:
        known = None if pilot is None else verbs.pilot_deviation(read, pilot, watch=watch)
        sd, freedom = (known.points, known.freedom) if known else (sd, None)
        study_plan = verbs.plan_study(read, sd=sd, sd_freedom=freedom, pilot=pilot, watch=watch)
    out.print(plan_table(study_plan))
    for line in (*wall_sentences(study_plan, workers), *sentences(study_plan)):
        out.print(line, soft_wrap=True)


@app.command()
def register(study: StudyFile) -> None:
    """Write down what a study wants to do, before it runs. A later registration is kept beside the earlier ones."""
    read = load(study)
    with making() as watch:
        registered = verbs.register_study(read, watch=watch)
    record = registered.record
    how = f"registered, number {record.number + 1}" if registered.new else "registered already"
    out.print(f"{record.study} is {how}: {record.id}", markup=False, soft_wrap=True)


@app.command()
def run(
    study: StudyFile,
    executor: Executor = "local",
    address: Address = None,
    until: UntilSearch = None,
    workers: RunWorkers = None,
    device: Device = "auto",
    per_device: PerDevice = None,
    deadline: Deadline = 60.0,
    checkpoint_every: CheckpointEvery = "5m",
    memory: Memory = None,
    reuse: Reuse = None,
    progress: ShowProgress = "auto",
    *,
    graphs: Graphs = False,
) -> None:
    """Carry out what is left of a study. Run it again after any interruption: it continues."""
    checkpoint_seconds = _checkpoint_seconds(checkpoint_every)
    read = load(study)
    print_warnings(read, verbs.changed_sources(read))
    live = executor != "inline"  # a debugger needs the terminal for itself
    if not live:
        faulthandler.enable()
    with ending(), display(read.study.study, live=live, mode=progress, searching=until == "search") as watch:
        result = ended(
            partial(
                verbs.run_study,
                read,
                executor=executor,
                address=address,
                until=until,
                workers=workers,
                device=device,
                per_device=per_device,
                deadline=deadline * 60,
                checkpoint_seconds=checkpoint_seconds,
                graphs=graphs,
                memory=None if memory is None else memory * 1e9,
                reuse=reuse or (),
                watch=watch.runs,
                progress=watch.making,
                say=warn,
                hear=quiet if live else print_failure,
            )
        )
    print_end(result, read.source, searching=until == "search", mode=progress)


@app.command()
def work(
    study: StudyFile,
    until: Until = None,
    workers: WorkWorkers = None,
    device: Device = "auto",
    per_device: PerDevice = None,
    deadline: Deadline = 60.0,
    checkpoint_every: CheckpointEvery = "5m",
    memory: Memory = None,
    reuse: Reuse = None,
    progress: ShowProgress = "auto",
    *,
    graphs: Graphs = False,
    again: Again = False,
) -> None:
    """Work on a study beside other workers on the same folder. It leaves at a time or a signal, and can join again."""
    after = verbs.seconds_until(until, now=datetime.now()) if until else None
    checkpoint_seconds = _checkpoint_seconds(checkpoint_every)
    with ending(after=after, signals=sorted({*STOPS, *LEAVES})):
        read = load(study)
        print_warnings(read, verbs.changed_sources(read))
        with display(read.study.study, live=True, mode=progress) as watch:
            run_here = partial(
                verbs.run_study,
                read,
                workers=workers if workers or per_device else 1,
                device=device,
                per_device=per_device,
                deadline=deadline * 60,
                checkpoint_seconds=checkpoint_seconds,
                graphs=graphs,
                memory=None if memory is None else memory * 1e9,
                reuse=reuse or (),
                again=again,
                watch=watch.runs,
                progress=watch.making,
                say=warn,
            )
            result = ended(run_here)
    require_finished(result)


COMMANDS = (
    *(keeping.status, keeping.pack, keeping.doctor, keeping.clean),
    *(reports.report, exports.export, verdict_lines.verify),
    *(lists.catalog, lists.published, lists.fetch, draw_picture.picture),
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when a study could not finish, 2 on bad input, 130 on Ctrl-C."""
    ready_streams()
    on_stop(leave, signals=early_signals())
    code = _exit_code()
    if code == INTERRUPTED:
        leave()
    sys.exit(code)


def _exit_code() -> int:
    try:
        # Without typer's standalone mode a `typer.Exit` comes back as its code, and so does Ctrl-C: as 130.
        return app(prog_name="realitycheck", standalone_mode=False) or 0
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except typer.TyperException as error:
        if message := error.format_message():  # empty where the help has been printed instead
            message = message.replace("Value error, ", "").replace("Input should be", "it must be")  # pydantic's words
            stop = "" if message.endswith((".", "?")) else "."
            err.print(f"{message}{stop} See `{_command_of(error)} --help`.", markup=False, soft_wrap=True)
        return 2
    except RealityCheckError as error:
        return _failed(error)
    except SystemExit as error:
        if error.code not in (0, None) or COMPLETING in os.environ:
            raise
        # Not ours: with it, a class of the study's author would end a command as if it were done.
        err.print("A class that the study names called `sys.exit`.", style="red", markup=False)
        return 1
    except OSError as error:
        if failure := storage_error(error, printed_to(error)):  # where no verb has reported it
            return _failed(failure)
        raise


def _command_of(error: typer.TyperException) -> str:
    """The command of a usage error: `realitycheck run`."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "realitycheck"


def _failed(error: RealityCheckError) -> int:
    err.print(str(error), style="red", markup=False, soft_wrap=True)
    return 2 if isinstance(error, InputError) else 1


def _checkpoint_seconds(text: str) -> float | None:
    return None if text == "off" else verbs.duration(text, option="--checkpoint-every")
