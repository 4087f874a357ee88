"""The command line: a thin layer over the verbs, and the only place that prints."""

from __future__ import annotations

import faulthandler
import sys
from datetime import datetime
from pathlib import Path

from realitycheck.cli.signals import LEAVES, STOPS, at_stop, ending, leave, on_stop

INTERRUPTED = 130
"""What shells report of a command that Ctrl-C ended."""

with at_stop(leave):  # these imports take seconds
    import typer

    from realitycheck import verbs
    from realitycheck.atomic import storage_error
    from realitycheck.cli import draw_picture, lists, reports, verdict_lines
    from realitycheck.cli.arguments import (
        Address,
        Again,
        CheckpointEvery,
        Deadline,
        Deviation,
        Device,
        Executor,
        Memory,
        PerDevice,
        Pilot,
        Reuse,
        RunWorkers,
        StudyFile,
        Until,
        Workers,
        WorkWorkers,
    )
    from realitycheck.cli.plan_summary import counted, plan_table, sentences, wall_sentences
    from realitycheck.cli.progress import display, err, making, out, standings_table
    from realitycheck.cli.result_lines import print_failure, print_result, print_warnings, quiet
    from realitycheck.errors import InputError, Problem, RealityCheckError
    from realitycheck.protocol.read import ReadStudy
    from realitycheck.verbs import StudyResult

app = typer.Typer(
    help="When every loss gets the same data, model, tuning budget and seeds, which losses really differ?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def check(study: StudyFile) -> None:
    """List every problem of a study's files and data, each with its line and a code."""
    _announce(study)
    with making() as watch:
        read = verbs.check_study(study, watch=watch, say=_warn)
    print_warnings(read, [*verbs.study_warnings(read), *verbs.changed_sources(read)])
    losses = counted(len(read.study.losses), "loss", "losses")
    valid = f"{read.source} is valid: {losses} under protocol {read.study.protocol_name}."
    out.print(valid, markup=False, soft_wrap=True)


@app.command()
def plan(study: StudyFile, workers: Workers = 2, sd: Deviation = None, pilot: Pilot = None) -> None:
    """Print what a study costs and which differences it can detect, before anything runs."""
    if sd is not None and pilot is not None:
        raise typer.BadParameter("--sd and --pilot are not allowed together. Remove one.")
    read = _load(study)
    sd = sd if pilot is None else verbs.pilot_deviation(read, pilot)
    with ending(), making() as watch:
        study_plan = verbs.plan_study(read, sd=sd, pilot=pilot, watch=watch)
    out.print(plan_table(study_plan))
    for line in (*wall_sentences(study_plan, workers), *sentences(study_plan)):
        out.print(line, soft_wrap=True)


@app.command()
def register(study: StudyFile) -> None:
    """Write down what a study wants to do, before it runs. A later registration is kept beside the earlier ones."""
    read = _load(study)
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
    workers: RunWorkers = None,
    device: Device = "auto",
    per_device: PerDevice = None,
    deadline: Deadline = 60.0,
    checkpoint_every: CheckpointEvery = "5m",
    memory: Memory = None,
    reuse: Reuse = None,
) -> None:
    """Carry out what is left of a study. Run it again after any interruption: it continues."""
    checkpoint_seconds = _checkpoint_seconds(checkpoint_every)
    read = _load(study)
    print_warnings(read, verbs.changed_sources(read))
    live = executor != "inline"  # a debugger needs the terminal for itself
    if not live:
        faulthandler.enable()
    with ending(), display(read.study.study, live=live) as watch:
        result = verbs.run_study(
            read,
            executor=executor,
            address=address,
            workers=workers,
            device=device,
            per_device=per_device,
            deadline=deadline * 60,
            checkpoint_seconds=checkpoint_seconds,
            memory=None if memory is None else memory * 1e9,
            reuse=reuse or (),
            watch=watch.runs,
            progress=watch.making,
            say=_warn,
            hear=quiet if live else print_failure,
        )
    out.print(standings_table(result.standings))
    _end(result)


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
    *,
    again: Again = False,
) -> None:
    """Work on a study beside other workers on the same folder. It leaves at a time or a signal, and can join again."""
    after = verbs.seconds_until(until, now=datetime.now()) if until else None
    checkpoint_seconds = _checkpoint_seconds(checkpoint_every)
    with ending(after=after, signals=sorted({*STOPS, *LEAVES})):
        read = _load(study)
        print_warnings(read, verbs.changed_sources(read))
        with display(read.study.study, live=True) as watch:
            result = verbs.run_study(
                read,
                workers=workers if workers or per_device else 1,
                device=device,
                per_device=per_device,
                deadline=deadline * 60,
                checkpoint_seconds=checkpoint_seconds,
                memory=None if memory is None else memory * 1e9,
                reuse=reuse or (),
                again=again,
                watch=watch.runs,
                progress=watch.making,
                say=_warn,
            )
    _end(result)


@app.command()
def status(study: StudyFile) -> None:
    """Print what is done, diverged and left, according to the ledger."""
    read = verbs.open_study(study)
    print_warnings(read, verbs.changed_sources(read))
    known = verbs.study_status(read)
    for problem in known.problems:
        _warn(problem)
    out.print(standings_table(known.standings))
    for standing in known.standings:
        if standing.raised:
            out.print(f"{standing.name}: {standing.raised}", markup=False, soft_wrap=True)
        if standing.failed:
            out.print(standing.failed, markup=False, soft_wrap=True)


@app.command()
def pack(study: StudyFile) -> None:
    """Pack a study's ledger, finished or not, into the one file that is committed."""
    path = verbs.pack_study(study)
    out.print(f"{path}  {path.stat().st_size / 1e6:.2f} MB", soft_wrap=True)


@app.command()
def doctor(study: StudyFile) -> None:
    """Describe this machine and test its arithmetic; compare images and weights with those at the start of a study."""
    read = _load(study)
    with making() as watch:
        facts = [*verbs.machine_facts(read), ("Arithmetic", verbs.arithmetic_fact(read))]
        problems = verbs.examine(read, watch=watch)
    for heading, fact in facts:
        out.print(f"{heading:<12}{fact}", markup=False, soft_wrap=True)
    if problems:
        raise InputError(read.source, problems)
    out.print("Images and weights are unchanged.")


for command in (
    *(reports.report, verdict_lines.verify, lists.catalog, lists.published, lists.fetch),
    draw_picture.picture,
):
    app.command()(command)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when a study could not finish, 2 on bad input, 130 on Ctrl-C."""
    on_stop(leave)
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
        if error.code not in (0, None):
            raise
        # Not ours: with it, a class of the study's author would end a command as if it were done.
        err.print("A class that the study names called `sys.exit`.", style="red", markup=False)
        return 1
    except OSError as error:
        if failure := storage_error(error):  # a full disk or no permission, where no verb has reported it
            return _failed(failure)
        raise


def _command_of(error: typer.TyperException) -> str:
    """The command of a usage error: `realitycheck run`."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "realitycheck"


def _failed(error: RealityCheckError) -> int:
    err.print(str(error), style="red", markup=False, soft_wrap=True)
    return 2 if isinstance(error, InputError) else 1


def _load(study: Path) -> ReadStudy:
    _announce(study)
    return verbs.load_study(study)


def _announce(study: Path) -> None:
    """Name the code that a study brings along, before it runs."""
    if named := verbs.named_code(study):
        err.print(f"{study} names code that runs here: {', '.join(named)}", markup=False, soft_wrap=True)


def _checkpoint_seconds(text: str) -> float | None:
    return None if text == "off" else verbs.duration(text, option="--checkpoint-every")


def _warn(problem: Problem) -> None:
    err.print(f"warning  {problem}", style="yellow", markup=False, soft_wrap=True)


def _end(result: StudyResult) -> None:
    print_result(result)
    if result.left or result.alarms or result.set_aside:
        err.print("The study could not finish. `run` again tries these jobs anew. Tracebacks are in its `attempts/`.")
        raise typer.Exit(1)
