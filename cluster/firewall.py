"""Lets pods through the machine's own firewall, as Docker, ufw and firewalld set one up, and takes the permission back.

A packet must be accepted by every chain it passes, so that a chain of ours could not help: a rule goes into each chain
that drops by default, marked with a comment by which it is found again.
"""

import json
from typing import Any

from cluster.layout import POD_CIDR
from cluster.terminal import run, say

COMMENT = "trimtab local cluster"
_MATCHES = {"input": ("saddr",), "forward": ("saddr", "daddr")}


def _list(what: str, kind: str) -> list[dict[str, Any]]:
    answer = run(["nft", "--json", "--handle", "list", what]).strip()
    return [entry[kind] for entry in json.loads(answer or '{"nftables": []}')["nftables"] if kind in entry]


def _strict() -> list[dict[str, Any]]:
    """Chains that drop what no rule of theirs accepts."""
    return [
        chain
        for chain in _list("chains", "chain")
        if chain.get("policy") == "drop" and chain.get("hook") in _MATCHES and chain["family"] in ("ip", "inet")
    ]


def rules() -> list[dict[str, Any]]:
    """Our rules that are in place."""
    return [rule for rule in _list("ruleset", "rule") if rule.get("comment") == COMMENT]


def open_for_pods() -> None:
    """Accepts what comes from pods and, where packets are forwarded, what goes to them."""
    chains = _strict()
    if not chains:
        return
    have = {(rule["family"], rule["table"], rule["chain"]) for rule in rules()}
    for chain in chains:
        place = (chain["family"], chain["table"], chain["name"])
        if place in have:
            continue
        for match in _MATCHES[chain["hook"]]:
            run(["nft", "insert", "rule", *place, "ip", match, POD_CIDR, "accept", "comment", f'"{COMMENT}"'])
        say(f"the firewall's chain {' '.join(place)} lets pods pass now; `down` takes that back")


def close() -> None:
    """Takes our rules away."""
    for rule in rules():
        run(["nft", "delete", "rule", rule["family"], rule["table"], rule["chain"], "handle", str(rule["handle"])])
