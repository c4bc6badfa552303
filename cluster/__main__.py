"""The command line: `python3 -m cluster VERB`, from the project's root.

Turns words into calls and errors into sentences; it knows nothing itself.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster import binaries, debian, images, lifecycle, monitoring, storage
from cluster.layout import AUDIT, CACHE, KUBECONFIG, STATE
from cluster.locking import held
from cluster.terminal import ClusterError, say

DESCRIPTION = f"""\
A real Kubernetes on this machine: etcd, the control plane, containerd, a kubelet, dynamic volumes and an S3 server.
State: {STATE} (TRIMTAB_CLUSTER_STATE). Cache of binaries and images: {CACHE} (TRIMTAB_CACHE). Needs root and Debian.
The first `up` builds the binaries, about ten minutes on two cores; later ones take seconds."""


def parser() -> argparse.ArgumentParser:
    """The verbs and what they take."""
    top = argparse.ArgumentParser(
        prog="python3 -m cluster", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("up", help="bring the cluster up; repair one that was killed; do nothing when all is well")
    verbs.add_parser("down", help="end it and leave nothing behind but the cache")
    verbs.add_parser("status", help="what runs, and whether pods can be started (exit code 1 when not)")
    verbs.add_parser("kubeconfig", help="print the path of the admin's kubeconfig")
    verbs.add_parser("s3", help="print endpoint, region, bucket and credentials of the S3 server as JSON")
    verbs.add_parser("audit", help="print the path of the API server's log of all writes (one JSON object a line)")
    verbs.add_parser("python", help="make sure that `python3 -m venv` works: Debian keeps a part of it in a package")
    verbs.add_parser(
        "tools", help="make sure that the programs are there that tests call: Prometheus, Alertmanager and a browser"
    )
    verbs.add_parser("binaries", help="build the cluster's binaries and start nothing")
    made = verbs.add_parser(
        "images", help="build the project's images and load them into the cluster; print their references as JSON"
    )
    made.add_argument(
        "--push",
        metavar="REGISTRY",
        default=os.environ.get("TRIMTAB_REGISTRY"),
        help="push to this registry instead of loading (default: TRIMTAB_REGISTRY)",
    )
    made.add_argument("--insecure", action="store_true", help="push without TLS verification")
    made.add_argument("only", nargs="*", metavar="NAME", help=f"of {', '.join(images.TARGETS)}; default: all")
    for verb, text in (
        ("restart", "kill one component and start it again"),
        ("stop", "end one component until `up` or `restart`"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("component", choices=[*lifecycle.COMPONENTS, *monitoring.COMPONENTS])
    for name in monitoring.COMPONENTS:
        one = verbs.add_parser(name, help=f"start Debian's {name.capitalize()} on loopback; `down` ends it")
        one.add_argument(
            "--config", type=Path, required=True, help="its configuration; files it names are found beside it"
        )
    verbs.add_parser(
        "kubectl",
        help="run kubectl as admin, with all that follows: python3 -m cluster kubectl get pods",
        add_help=False,
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    own, others = (words[:1], words[1:]) if words[:1] == ["kubectl"] else (words, [])
    options = parser().parse_args(own)
    options.arguments = others  # kubectl's, whatever they look like
    try:
        return _run(options)
    except ClusterError as e:
        say(f"error: {e}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next `up` or `down` takes it from here")
        return 130


def _run(options: argparse.Namespace) -> int:
    match options.verb:
        case "up":
            lifecycle.up()
            say(f"the cluster is up: export KUBECONFIG={KUBECONFIG}")
        case "down":
            lifecycle.down()
        case "status":
            return _status()
        case "kubeconfig":
            lifecycle.require_state()
            print(KUBECONFIG)
        case "s3":
            lifecycle.require_state()
            print(json.dumps(storage.s3_settings()))
        case "audit":
            print(AUDIT)
        case "python":
            debian.ensure_venv()
        case "tools":
            debian.ensure(debian.MONITORING, debian.BROWSER)
        case "binaries":
            with held(CACHE / "binaries.lock", "building binaries"):
                binaries.ensure()
        case "images":
            print(json.dumps(images.make(options.only, registry=options.push, insecure=options.insecure), indent=2))
        case "restart":
            lifecycle.restart(options.component)
        case "stop":
            lifecycle.stop(options.component)
        case "prometheus" | "alertmanager":
            with lifecycle.changing():
                lifecycle.require_up()
                print(monitoring.start(options.verb, options.config))
        case "kubectl":
            lifecycle.require_state()
            kubectl = binaries.path("kubectl")
            os.execve(kubectl, [str(kubectl), *options.arguments], {**os.environ, "KUBECONFIG": str(KUBECONFIG)})
    return 0


def _status() -> int:
    well, rows = lifecycle.status()
    for name, state, resident in rows:
        print(f"{name:24}{state:14}{resident / 1e6:8.0f} MB")
    print(f"{'total':38}{sum(row[2] for row in rows) / 1e6:8.0f} MB")
    print(
        "node Ready"
        if well
        else "not ready; see " + str(STATE / "log")
        if debian.is_root()
        else "not ready, or not visible without root"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
