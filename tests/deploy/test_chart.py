"""The chart renders to objects that keep the hub's promises: hardened, stopped in order, reached by its peers only."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from croupier.apps.serve import END_S
from tests.deploy.chart import CHART, RELEASE, render, rendered
from tests.deploy.surface import PUBLIC, SETTINGS

PROBES = ("/livez", "/readyz")
"""Paths of the hub that answer without a signature (apps.operations)."""


def of(kind: str, **changes: Any) -> dict[str, Any]:
    [found] = [made for made in rendered(**changes) if made["kind"] == kind]
    return found


def pods() -> list[dict[str, Any]]:
    return [made["spec"]["template"]["spec"] for made in rendered() if "template" in made.get("spec", {})]


def test_a_construct_that_is_not_rendered_here_is_not_in_the_chart() -> None:
    with pytest.raises(ValueError, match="range"):
        render("{{ range .Values.some }}", {})


@pytest.mark.parametrize("pod", pods(), ids=lambda pod: str(pod["containers"][0]["name"]))
def test_every_pod_is_hardened(pod: dict[str, Any]) -> None:
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    own = {claim["metadata"]["name"] for claim in of("StatefulSet")["spec"]["volumeClaimTemplates"]}
    assert mounted <= {volume["name"] for volume in pod["volumes"]} | own


def test_a_pod_is_watched_where_the_hub_answers() -> None:
    """A hub without its database leaves the service and is not started anew."""
    [container] = of("StatefulSet")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: get["path"] for name, get in asked.items()} == {
        "startup": "/livez", "liveness": "/livez", "readiness": "/readyz",
    }  # fmt: skip
    assert {get["port"] for get in asked.values()} <= ports
    assert set(PROBES) == {get["path"] for get in asked.values()}


def test_the_network_admits_the_ingress_and_the_monitoring_alone() -> None:
    policy = of("NetworkPolicy")["spec"]
    assert sorted(policy["policyTypes"]) == ["Egress", "Ingress"]
    [rule] = policy["ingress"]
    assert all(
        set(source) == {"namespaceSelector"} and source["namespaceSelector"]["matchLabels"] for source in rule["from"]
    )
    [container] = of("StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert [port["port"] for port in rule["ports"]] == [port["containerPort"] for port in container["ports"]]
    [out] = policy["egress"]
    assert {port["port"] for port in out["ports"]} == {53, 443, 5432, 6379}


def test_secrets_come_from_files_only() -> None:
    text = yaml.safe_dump(rendered())
    assert "postgresql://" not in text
    assert "secretKeyRef" not in text
    assert "stringData" not in text


def test_every_setting_is_one_of_the_hub() -> None:
    named = {each["name"] for pod in pods() for each in pod["containers"][0]["env"]} | set(of("ConfigMap")["data"])
    assert named <= SETTINGS


def test_a_pod_has_time_to_stop_in_order() -> None:
    spec = of("StatefulSet")["spec"]["template"]["spec"]
    leaves_s = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] > leaves_s + END_S


def test_peers_reach_the_public_paths_and_nothing_else() -> None:
    [rule] = of("Ingress")["spec"]["rules"]
    assert {path["path"] for path in rule["http"]["paths"]} == PUBLIC
    assert [made for made in rendered(ingress={"enabled": False}) if made["kind"] == "Ingress"] == []


def test_every_object_selects_the_same_pods() -> None:
    labels = {"app.kubernetes.io/name": "croupier", "app.kubernetes.io/instance": RELEASE}
    assert of("StatefulSet")["spec"]["selector"]["matchLabels"] == labels
    assert of("StatefulSet")["spec"]["template"]["metadata"]["labels"] == labels
    assert of("Service")["spec"]["selector"] == labels
    assert of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not here")
def test_helm_renders_the_same() -> None:
    made = subprocess.run(["helm", "template", RELEASE, str(CHART)], check=True, capture_output=True)
    theirs = [each for each in yaml.safe_load_all(made.stdout) if each]
    assert sorted(map(yaml.safe_dump, theirs)) == sorted(map(yaml.safe_dump, rendered()))
