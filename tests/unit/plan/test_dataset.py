"""When the data are looked at, and what a look leads to."""

from dataclasses import replace
from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from trimtab.api.conditions import ConditionType as Type
from trimtab.api.wire.runs import Run, pack
from trimtab.plan import conditions, dataset
from trimtab.plan.dataset import Observed
from trimtab.plan.intent import Object, Plan
from trimtab.plan.jobs import RUN_FILE, JobView

DIGEST = dataset.spec_digest(make.dataset())
FOUND = {"digest": make.FEBRUARY, "rows": 5, "bytes": 9, "columns": [{"name": "temp", "type": "Number"}]}


def observed(
    given: Object | None = None, *looks: JobView, asked: tuple[str, ...] = (), configs: tuple[str, ...] = ()
) -> Observed:
    return Observed(
        given or make.dataset(), looks, tuple(make.config(name, "{}") for name in configs), asked, make.DEFAULTS
    )


def plan(*given: Any, now: float = make.NOW, **more: Any) -> Plan:
    return dataset.plan(observed(*given, **more), now)


def look(name: str = "look", *pods: Object, inputs: str = DIGEST, **job: Any) -> JobView:
    return make.view(name, *pods, inputs=inputs, **job)


def saw(name: str = "look", found: Object | None = None, *, created: float = 50, **job: Any) -> JobView:
    """A look that ended well and said what it found."""
    done = make.pod(
        main=(make.ended("fetch", 0, make.report("fetch", look={**FOUND, **(found or {})})),), phase="Succeeded"
    )
    return look(name, done, end="Complete", created=created, **job)


def failed(message: str = "", name: str = "look", created: float = 50) -> JobView:
    broken = make.pod(main=(make.ended("fetch", 3, message),), phase="Failed")
    return look(name, broken, end="Failed", created=created, message="backoff limit")


def kinds(plan: Plan) -> list[str]:
    return [child.kind for child in plan.children]


def told(plan: Plan, kind: Type) -> tuple[str, str]:
    assert plan.status is not None
    entry = conditions.find(plan.status, kind)
    assert entry is not None
    return entry["status"], entry["reason"]


DUE: dict[str, tuple[Plan, bool]] = {
    "data that nobody has looked at": (plan(), True),
    "data that were looked at": (plan(make.looked()), False),
    "a spec that changed since": (plan({**make.looked(), "spec": make.dataset(format="CSV")["spec"]}), True),
    "a spec that says the default now": (plan({**make.looked(), "spec": make.dataset(expect={})["spec"]}), True),
    "somebody who asks for a younger look": (plan(make.looked(since=600), asked=(make.ago(599),)), True),
    "somebody who is content with the last look": (plan(make.looked(since=600), asked=(make.ago(600),)), False),
    "the most demanding of two who ask": (plan(make.looked(since=600), asked=(make.ago(900), make.ago(1))), True),
    "data that could not be read less than five minutes ago": (plan(make.looked(readable=False, since=299)), False),
    "data that could not be read five minutes ago": (plan(make.looked(readable=False, since=300)), True),
    "data that break an expectation": (plan(make.looked(valid=False, since=9999)), False),
}


@pytest.mark.parametrize("case", DUE)
def test_a_look_begins_for(case: str) -> None:
    found, begins = DUE[case]
    assert kinds(found) == (["ConfigMap", "Job"] if begins else [])


def test_a_look_gets_the_spec_and_only_what_opens_the_data() -> None:
    given = make.dataset(source={"uri": "s3://b/x.csv", "credentials": {"secretRef": {"name": "s3"}}})
    config, job = (child.obj for child in plan(given).children)
    run = Run.from_json(config["data"][RUN_FILE])
    assert (run.data.source.uri, run.job) == ("s3://b/x.csv", None)
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"prefix": "DATA_", "secretRef": {"name": "s3"}}]
    assert (
        "initContainers" not in job["spec"]["template"]["spec"] or not job["spec"]["template"]["spec"]["initContainers"]
    )


def test_a_look_runs_where_and_with_what_the_dataset_says() -> None:
    settings = {"nodeSelector": {"disk": "ssd"}, "serviceAccountName": "reader", "labels": {"team": "a"}}
    given = make.dataset(pod=settings, resources={"limits": {"memory": "8Gi"}})
    job = plan(given).children[1].obj
    pod = job["spec"]["template"]["spec"]
    assert (pod["nodeSelector"], pod["serviceAccountName"]) == ({"disk": "ssd"}, "reader")
    assert (job["metadata"]["labels"]["team"], job["spec"]["template"]["metadata"]["labels"]["team"]) == ("a", "a")
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "8Gi"}


def test_other_resources_ask_for_another_look() -> None:
    """What ran out of memory is looked at again as soon as it may use more."""
    seen = make.looked(readable=False, since=30)
    more = {**seen, "spec": make.dataset(resources={"limits": {"memory": "8Gi"}})["spec"]}
    assert (kinds(plan(seen)), kinds(plan(more))) == ([], ["ConfigMap", "Job"])


def test_a_claim_is_mounted_read_only() -> None:
    job = plan(make.dataset(source={"uri": "pvc://flights/x.csv"})).children[1].obj
    pod = job["spec"]["template"]["spec"]
    mount = next(m for m in pod["containers"][0]["volumeMounts"] if m["mountPath"] == "/trimtab/claims/flights")
    volume = next(v for v in pod["volumes"] if v["name"] == mount["name"])
    assert (mount["readOnly"], volume["persistentVolumeClaim"]) == (True, {"claimName": "flights"})


def test_one_look_at_a_time_serves_all_who_ask_before_it_began() -> None:
    asked = (make.ago(70), make.ago(60))
    running = plan(make.looked(since=900), look(created=50), asked=asked)
    assert kinds(running) == []
    end, last = worlds.settled("Dataset", observed(make.looked(since=900), saw(created=50), asked=asked))
    assert (end.looks, end.configs, kinds(last)) == ((), (), [])
    assert end.dataset["status"]["look"]["time"] == make.ago(50)


def test_who_asks_while_a_look_runs_gets_another_one() -> None:
    end, _ = worlds.settled("Dataset", observed(make.looked(since=900), saw(created=50), asked=(make.ago(40),)))
    assert [view.job["metadata"]["creationTimestamp"] for view in end.looks] == [make.ago(0)]
    assert len(end.configs) == 1


def test_a_result_goes_into_the_status_once_and_then_the_job_goes() -> None:
    seen = observed(make.looked(), saw())
    first = dataset.plan(seen, make.NOW)
    assert first.status is not None
    assert (first.status["digest"], first.status["rows"], first.unwanted) == (make.FEBRUARY, 5, ())
    assert [notice.reason for notice in first.notices] == ["DataChanged"]
    then = worlds.after("Dataset", seen, first)
    second = dataset.plan(then, make.NOW)
    assert [gone.kind for gone in second.unwanted] == ["Job"]
    assert (second.status, second.notices) == (first.status, ())


def test_the_first_digest_is_no_change() -> None:
    assert plan(make.dataset(), saw()).notices == ()


@pytest.mark.parametrize("inputs", ["0ld", ""])
def test_a_spec_that_changes_while_a_look_runs_begins_another_and_ends_that_one(inputs: str) -> None:
    found = plan(make.dataset(), saw(inputs=inputs))
    assert kinds(found) == ["ConfigMap", "Job"]
    assert [gone.name for gone in found.unwanted] == ["look"]
    assert found.status is not None
    assert "digest" not in found.status


def test_of_two_looks_the_newer_counts() -> None:
    found = plan(make.dataset(), saw("old", created=90), saw("new", {"rows": 7}, created=50))
    assert found.status is not None
    assert (found.status["rows"], [gone.name for gone in found.unwanted]) == (7, ["old"])


def test_config_maps_go_with_their_looks_and_leftovers_of_a_crash_go_too() -> None:
    found = plan(make.looked(), look("running", created=5), configs=("running", "left-over"), asked=(make.ago(9),))
    assert [(gone.kind, gone.name) for gone in found.unwanted] == [("ConfigMap", "left-over")]
    end, _ = worlds.settled("Dataset", observed(make.dataset(), saw("done"), configs=("done", "left-over")))
    assert (end.looks, end.configs) == ((), ())


WORDS: dict[str, tuple[Plan, tuple[str, str], tuple[str, str]]] = {
    "a first look under way": (plan(make.dataset(), look(created=5)), ("False", "Looking"), ("Unknown", "NotLookedAt")),
    "a look at a spec that changed": (
        plan({**make.looked(), "spec": make.dataset(format="CSV")["spec"]}),
        ("False", "Looking"),
        ("Unknown", "NotLookedAt"),
    ),
    "another look at the same spec": (
        plan(make.looked(), look(created=5)),
        ("True", "ExpectationsHold"),
        ("True", "ExpectationsHold"),
    ),
    "another try at data that could not be read": (
        plan(make.looked(readable=False), look(created=5)),
        ("False", "DataUnreadable"),
        ("Unknown", "DataUnreadable"),
    ),
    "data that hold what is expected": (
        plan(make.dataset(), saw()),
        ("True", "ExpectationsHold"),
        ("True", "ExpectationsHold"),
    ),
    "data that break an expectation": (
        plan(
            make.dataset(), saw(found={"failures": [{"rule": "rows", "message": "5 rows, at least 9 are asked for"}]})
        ),
        ("True", "ExpectationsFailed"),
        ("False", "ExpectationsFailed"),
    ),
    "data that cannot be read": (
        plan(make.dataset(), failed(make.report("fetch", reason="NotFound", message="nothing lies there"))),
        ("False", "DataUnreadable"),
        ("Unknown", "DataUnreadable"),
    ),
    "a pod that is gone with its result": (
        plan(make.dataset(), look(end="Complete", since=40)),
        ("False", "DataUnreadable"),
        ("Unknown", "DataUnreadable"),
    ),
    "an image that cannot be pulled": (
        plan(make.dataset(), look("l", make.pod(main=(make.waiting("fetch", "ImagePullBackOff"),), phase="Pending"))),
        ("False", "ChildNotStarting"),
        ("Unknown", "NotLookedAt"),
    ),
    "a quota that forbids the pod": (
        plan(make.dataset(), look(created=16)),
        ("False", "ChildNotStarting"),
        ("Unknown", "NotLookedAt"),
    ),
    "a Job that was only just made": (
        plan(make.dataset(), look(created=14)),
        ("False", "Looking"),
        ("Unknown", "NotLookedAt"),
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_the_status_tells_of(case: str) -> None:
    found, ready, validated = WORDS[case]
    assert (told(found, Type.READY), told(found, Type.VALIDATED)) == (ready, validated)


def test_a_failed_look_is_told_in_its_own_words_and_tried_again() -> None:
    found = plan(make.dataset(), failed(make.report("fetch", reason="NotFound", message="nothing lies there")))
    assert found.status is not None
    ready = conditions.find(found.status, Type.READY)
    assert ready is not None
    assert ready["message"] == (
        "NotFound: nothing lies there. It is tried again in 5 minutes, or when the spec changes."
    )
    assert found.again == 300.0
    assert [notice.reason for notice in found.notices] == ["DataUnreadable"]


def test_a_look_that_ran_out_of_memory_says_which_limit_to_raise() -> None:
    ended = make.pod(main=(make.ended("fetch", 137, "", reason="OOMKilled"),), phase="Failed")
    found = plan(make.dataset(), look("look", ended, end="Failed"))
    assert found.status is not None
    ready = conditions.find(found.status, Type.READY)
    assert ready is not None
    assert "fetch used more memory than its limit and was ended: raise spec.resources.limits.memory" in ready["message"]


def evicted(number: int, *, own: bool = False) -> Object:
    pod = make.pod(f"p{number}", main=(make.running("fetch"),), phase="Failed", reason="Evicted")
    pod["status"]["message"] = "The node was low on resource: memory."
    pod["status"]["conditions"] = [] if own else [{"type": "DisruptionTarget", "status": "True"}]
    return pod


def test_a_look_ends_when_five_of_its_pods_were_evicted() -> None:
    four, five = (look("l", *[evicted(number) for number in range(many)]) for many in (4, 5))
    assert told(plan(make.dataset(), four), Type.VALIDATED) == ("Unknown", "NotLookedAt")
    seen = observed(make.dataset(), five)
    found = dataset.plan(seen, make.NOW)
    assert told(found, Type.READY) == ("False", "DataUnreadable")
    assert "5 pods were evicted by their nodes" in str(found.status)
    end, _ = worlds.settled("Dataset", worlds.after("Dataset", seen, found))
    assert end.looks == ()


def test_a_look_evicted_for_what_it_wrote_itself_says_which_limit_to_raise() -> None:
    found = plan(make.dataset(), look("l", evicted(1, own=True), end="Failed"))
    assert "StorageExceeded" in str(found.status)
    assert "raise spec.resources.limits.ephemeral-storage" in str(found.status)


def test_a_look_whose_job_another_controller_suspended_waits_for_it() -> None:
    first = plan(make.dataset(), look(suspend=True, created=900))
    assert told(first, Type.READY) == ("False", "JobSuspended")
    again = plan(make.looked(), look(suspend=True, created=900))
    assert told(again, Type.READY) == ("True", "ExpectationsHold"), "what was found last still holds"


def test_a_look_whose_node_is_lost_says_so() -> None:
    pod = make.pod(main=(make.running("fetch"),), deletionTimestamp=make.ago(301))
    assert told(plan(make.dataset(), look("l", pod)), Type.READY) == ("False", "NodeLost")


def test_a_pod_whose_last_word_comes_after_its_jobs_is_waited_for() -> None:
    late = look("look", make.pod(main=(make.running("fetch"),)), end="Complete", since=5)
    found = plan(make.dataset(), late)
    assert (told(found, Type.READY), found.again) == (("False", "Looking"), 5.0)
    assert told(plan(make.dataset(), late, now=make.NOW + 30), Type.READY) == ("False", "DataUnreadable")


def test_columns_that_did_not_fit_come_packed() -> None:
    columns = [{"name": f"c{number}", "type": "Number"} for number in range(2100)]
    packed = pack(str(columns).replace("'", '"'))
    found = plan(make.dataset(), saw(found={"columns": [], "packed": packed}))
    assert found.status is not None
    assert found.status["columns"] == columns[:2000]


@pytest.mark.parametrize("packed", ["no base64", pack("no JSON"), pack('{"a": 1}'), pack('[{"name": ""}]')])
def test_columns_that_cannot_be_unpacked_cost_nothing_else(packed: str) -> None:
    found = plan(make.dataset(), saw(found={"columns": [], "packed": packed}))
    assert found.status is not None
    assert (found.status["columns"], found.status["rows"]) == ([], 5)


def test_a_changed_spec_is_not_called_valid_before_it_was_looked_at() -> None:
    changed = make.dataset(expect={"rows": {"min": 10**6}}, generation=2)
    found = plan({**changed, "status": make.looked()["status"]})
    assert told(found, Type.VALIDATED) == ("Unknown", "NotLookedAt")
    assert found.status is not None
    assert found.status["observedGeneration"] == 2


def test_names_of_looks_differ_by_what_asks_for_them() -> None:
    first = plan().children[1].name
    assert plan().children[1].name == first
    again = plan(asked=(make.ago(1),)).children[1].name
    later = plan(make.looked(since=600), asked=(make.ago(1),)).children[1].name
    other = plan(make.dataset(uid="other")).children[1].name
    assert len({first, again, later, other}) == 4


def test_the_operators_images_and_settings_change_no_look() -> None:
    newer = replace(make.DEFAULTS, trainer_image="trimtab-trainer:2", store_claim="x")
    names = {
        dataset.plan(replace(observed(), defaults=given), make.NOW).children[1].name for given in (make.DEFAULTS, newer)
    }
    assert len(names) == 1
