"""`run`: the campaign of a study, wired to training, ledger and an executor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from realitycheck.check.weight_files import weights_file
from realitycheck.executors.base import Executor, Job
from realitycheck.executors.menu import MENU
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.leases import Leases
from realitycheck.records.ledger import Ledger
from realitycheck.records.nearest_images import NeighborLists
from realitycheck.records.reused import openings_before, reusable
from realitycheck.records.schema import Record, Score, of_type
from realitycheck.runs import CLEAN, Body, ScoringPlace, TrainingPlace
from realitycheck.search.agenda import Agenda
from realitycheck.search.attempts import EarlierFailures, earlier_failures
from realitycheck.search.campaign import Campaign
from realitycheck.search.schedule import is_of_search
from realitycheck.search.sharing import Sharing
from realitycheck.search.standing import Standing, Standings, with_swept
from realitycheck.stores.cache import forget_checkpoint, forget_weights, stored_weights
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.advances import running_lines
from realitycheck.verbs.checkpointing import CHECKPOINT_SECONDS, JobPlace, sweep_checkpoints
from realitycheck.verbs.clean_up import cleaned_ledger
from realitycheck.verbs.executing import VERBS, build_executor
from realitycheck.verbs.folders import evidence_folder
from realitycheck.verbs.length_units import Measure, measured_length, with_units
from realitycheck.verbs.makers import machine, versions
from realitycheck.verbs.one_prepares import one_prepares
from realitycheck.verbs.options import require_options
from realitycheck.verbs.ready import TESTING, StoreCheck, is_score_ready, ready_stores
from realitycheck.verbs.register import register_first
from realitycheck.verbs.slots import slots_of
from realitycheck.verbs.study import Progress, Say, plans_of, require_arithmetic, unsaid, unwatched
from realitycheck.verbs.study_result import Activity, Hear, StudyResult, UnfinishedStudy, Watch, silent, unheard

POLL_SECONDS = 1.0
"""How often a worker reads what others have written, at most."""


def run_study(
    read: ReadStudy,
    *,
    executor: str = "local",
    address: str | None = None,
    workers: int | None = None,
    device: str = "auto",
    per_device: int | None = None,
    deadline: float = 3600.0,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    graphs: bool = False,
    memory: float | None = None,
    reuse: Sequence[Path] = (),
    again: bool = True,
    until: Literal["search"] | None = None,
    watch: Watch = silent,
    progress: Progress = unwatched,
    say: Say = unsaid,
    hear: Hear = unheard,
) -> StudyResult:
    """Do what is left of a study on this machine; running it again is the whole recovery manual.

    None of the knobs can change a number; so they have defaults.

    Args:
        read: the study.
        executor: name on `executors.menu`: `local` for child processes, `inline` for this process and a debugger,
            `ray` for the nodes of a Ray cluster.
        address: that of the Ray cluster, or `auto`; None to start one on this machine.
        workers: child processes at a time; by default two on a CPU, and one for each GPU.
        device: `cpu`, `cuda`, `cuda:<number>`, or `auto`, the one of the protocol's arithmetic; or several GPUs, such
            as `cuda:0,cuda:1`, of which each job gets one.
        per_device: child processes at a time on each device.
        checkpoint_seconds: longest time between two checkpoints in a run; None for none.
        graphs: whether the steps of a run on a GPU are replayed as a CUDA graph, where that has the same bits.
        deadline: seconds without a report of progress after which a job counts as hanging; it is killed and tried
            again, three times at most. A training reports at every iteration, so a long one is no hang.
        memory: bytes that a job and the processes that it starts may hold; by default an equal share of nine tenths of
            this machine's memory.
        reuse: folders of other studies' evidence, whose records of equal id are copied: a baseline is paid for once.
        again: whether jobs that were given up before are tried again; if not, the failures that are noted in the
            study's folder count, so that workers that join one after the other do not repeat them.
        until: `search` to leave once every search has chosen a setting, with the test half closed; a later call
            continues.
        watch: sees the progress of the runs.
        progress: sees that of the images and features, which are made ready before.
        say: called with every problem that stops nothing: changed images, and damaged stores that are made again.
        hear: called with every job that failed or whose loss raised an exception, as soon as it is back.

    Raises:
        InputError: an option is wrong, the data do not fit the protocol, this machine not its arithmetic, or a ledger
            is of another results version.
        LedgerError: a ledger is damaged.
        UnfinishedStudy: jobs were given up, a loss is FAILED, or a record came twice and differed; its `result` says
            all, and everything that is finished is recorded.

    Example:
        In a script, call it below `if __name__ == "__main__":`, since every child imports the script.

        >>> from realitycheck import load_study, run_study
        >>> result = run_study(load_study("studies/demo.yaml"), workers=2)
        >>> result.left, result.alarms  # jobs that failed three times; records that came twice and differed
        ((), ())
    """
    require_options(read, executor=executor, address=address, device=device, graphs=graphs, reuse=reuse)
    computes, elsewhere = read.study.protocol.recipe.computes.device, MENU[executor].elsewhere
    gpus = 1 / (per_device or 1) if computes == "cuda" else 0.0
    per_device = None if elsewhere and workers else per_device  # there it is the share of a GPU alone
    slots = slots_of(device, workers=workers, per_device=per_device, computes=computes)
    require_arithmetic(read, devices=slots, here=MENU[executor].here, elsewhere=elsewhere)
    built = build_executor(read, executor, devices=slots, deadline=deadline, memory=memory, gpus=gpus, address=address)
    result = carry_out(
        read,
        executor=built,
        device=device,
        checkpoint_seconds=checkpoint_seconds,
        graphs=graphs,
        reuse=reuse,
        again=again,
        until=until,
        watch=watch,
        progress=progress,
        say=say,
        hear=hear,
        verbs=VERBS,
    )
    if result.unfinished:
        raise UnfinishedStudy(result)
    return result


def carry_out(
    read: ReadStudy,
    *,
    executor: Executor,
    device: str,
    reuse: Sequence[Path],
    watch: Watch,
    progress: Progress = unwatched,
    say: Say = unsaid,
    hear: Hear = unheard,
    verbs: Mapping[str, str],
    checkpoint_seconds: float | None = None,
    graphs: bool = False,
    again: bool = True,
    until: Literal["search"] | None = None,
) -> StudyResult:
    """`run_study` with any executor and any verbs; the executor is closed at the end, whatever happens.

    What is left over is part of the result, and no exception.
    """
    leases = Leases(evidence_folder(read))
    try:
        ledger = cleaned_ledger(read, say=say)  # refused, if it must be, before images are decoded
        executor.warm_up()
        check, campaign = StoreCheck(read, progress, say), None
        earlier = EarlierFailures() if again else earlier_failures(ledger.notes())
        while campaign is None or campaign.stopped:
            with one_prepares(leases, watch=progress):
                stores = ready_stores(check, executor, device=device, remember=True)
                measure = measured_length(read, stores, executor, device=device, watch=progress)
                ledger.read_new()
                runtime = _runtime(read, ledger, stores, reuse=reuse, measure=measure)
                register_first(read, ledger, runtime.plans)
            runtime.ledger.note("started", {"title": versions(), "device": device})
            place = JobPlace(device, checkpoint_seconds, graphs, until)
            campaign = _campaign(runtime, executor, verbs, check, leases, earlier, place=place, before=campaign)
            for back in campaign.steps(seconds=1.0):
                for finished in back:
                    if finished.failure:
                        hear(finished)
                watch(runtime.standings(), _activities(campaign, executor))
        sweep_checkpoints(runtime.cache, campaign)
        return _result(campaign, runtime)
    finally:
        executor.close()
        leases.close()


def _result(campaign: Campaign, runtime: _StudyRuntime) -> StudyResult:
    return StudyResult(
        tuple(campaign.left.values()),
        tuple(campaign.alarms),
        runtime.standings(),
        raised=tuple(campaign.raised.values()),
        set_aside=(*campaign.set_aside.values(), *campaign.given_up.values()),
    )


def _activities(campaign: Campaign, executor: Executor) -> list[Activity]:
    running = running_lines(campaign.running.values(), executor.advances)
    here = [Activity(title, elsewhere=False) for title in running]
    return here + [Activity(title, elsewhere=True) for title in campaign.waiting]


def _campaign(
    runtime: _StudyRuntime,
    executor: Executor,
    verbs: Mapping[str, str],
    check: StoreCheck,
    leases: Leases,
    earlier: EarlierFailures,
    *,
    place: JobPlace,
    before: Campaign | None,
) -> Campaign:
    """The campaign of a study; it takes over what one that stopped has counted."""
    campaign = Campaign(
        agenda=runtime.agenda,
        ledger=runtime.ledger,
        sharing=Sharing(runtime.ledger, leases, earlier.given_up, seconds=POLL_SECONDS),
        executor=executor,
        verbs=verbs,
        place=lambda job: place.of(runtime.place(job, device=place.device), kind=job.kind),
        stored=lambda: stored_weights(runtime.cache),
        forget=lambda run_id: forget_weights(runtime.cache, run_id),
        ended=lambda run_id: forget_checkpoint(runtime.cache, run_id),
        wanted=is_of_search if place.until == "search" else lambda job: True,
        may_start=lambda job: is_score_ready(check, runtime.stores, job),
        known=runtime.known,
        machine=machine(runtime.read, place.device if executor.here else "cpu"),
        failures=earlier.failures,
        set_aside=dict(before.set_aside) if before else {},
        given_up=dict(before.given_up) if before else {},
    )
    if before:
        campaign.failures, campaign.left = before.failures, before.left
        campaign.alarms, campaign.raised = before.alarms, before.raised
    return campaign


@dataclass(frozen=True, slots=True)
class _StudyRuntime:
    """What the work of a study needs: stores, ledger, and the jobs that may start."""

    read: ReadStudy
    stores: Mapping[str, Stores]
    ledger: Ledger
    cache: Path
    weights: Mapping[str, str | None]
    plans: tuple[DatasetPlan, ...]
    agenda: Agenda
    known: Mapping[str, Record]
    counted: Standings

    def place(self, job: Job, *, device: str) -> Body:
        name = job.group.split("/")[0]
        trainval, cache = str(self.stores[name].trainval), str(self.cache)
        if job.kind in TESTING:
            test = self.stores[name].test_of(job.payload["spec"].get("evaluation", CLEAN))
            return asdict(ScoringPlace(trainval, str(test), cache, device))
        return asdict(TrainingPlace(trainval, cache, device, self.weights[name]))

    def standings(self) -> tuple[Standing, ...]:
        return tuple(
            standing
            for plan in self.plans
            for standing in with_swept(
                self.counted.of(plan.dataset, self.agenda.losses(plan.dataset), plan.protocol),
                self.agenda.swept(plan.dataset),
            )
        )


def _runtime(
    read: ReadStudy,
    ledger: Ledger,
    stores: Mapping[str, Stores],
    *,
    reuse: Sequence[Path],
    measure: Measure | None,
) -> _StudyRuntime:
    cache = ledger.folder / "cache"
    plans = plans_of(read, stores)
    for opening in openings_before(reuse, tests={plan.test for plan in plans}):
        ledger.append(opening)
    known = reusable(reuse)
    plans = tuple(with_units(plan, {**known, **ledger.records}, measure) for plan in plans)
    # What can be copied needs no weights.
    copied = {one.id for one in of_type(known.values(), Score)}
    copied |= {one.id for one in of_type(known.values(), NeighborLists)}
    agenda = Agenda(plans, ledger.records.values(), stored_weights(cache), copied=copied)
    weights = {name: weights_file(read, read.study.protocol_on(name)) for name in stores}
    return _StudyRuntime(read, stores, ledger, cache, weights, plans, agenda, known, Standings())
