"""The verbs of `trimtab`. `kubectl trimtab` is the same."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trimtab.cli import drift as drifts
from trimtab.cli import page, terminal
from trimtab.cli.cluster import AskError, Cluster

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Default: that of the kubeconfig's context.")]
Context = Annotated[str | None, typer.Option(help="Context of the kubeconfig.")]


@app.callback()
def trimtab() -> None:
    """What Trimtab's objects hold, made easy to look at. Reads with your own rights; writes nothing to the cluster."""


@app.command()
def drift(
    deployment: Annotated[str, typer.Argument(help="A ModelDeployment: its name, or mdep/name.")],
    namespace: Namespace = None,
    context: Context = None,
    scale: Annotated[
        int | None, typer.Option(help="Base windows to show: 1, 6, 24 or 168.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Columns that are far from drifting, too.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots to this file.", dir_okay=False)] = None,
) -> None:
    """The reference beside what was asked lately, column by column."""
    try:
        cluster = Cluster(context)
        found = drifts.gathered(cluster, namespace or cluster.namespace, deployment, scale, time.time())
        if html is not None:
            html.write_text(page.html(found), encoding="utf-8")
    except (AskError, ValueError, OSError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    terminal.show(Console(), found, every=every)
    if html is not None:
        Console().print(f"{html} has it with plots.", markup=False)


if __name__ == "__main__":
    app()
