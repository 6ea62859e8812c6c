"""Sensitivity and sharpness of trained networks: closed forms, and the direction of batch sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mlds_bench.agents.classification.flatness import EPSILON, SAMPLE, Sample, measure
from mlds_bench.agents.classification.logistic import LogisticAgent
from mlds_bench.agents.classification.mlp import MlpAgent
from tests.agents.classification.makers import images, learn, make_agent

NAMES = {"loss_sensitivity", "output_sensitivity", "spectral_sharpness", "box_sharpness"}


def sample(count: int) -> Sample:
    observation, labels = images(count)
    kept = Sample()
    kept.add(torch.from_numpy(observation), torch.from_numpy(labels))
    return kept


def test_a_linear_network_in_closed_form() -> None:
    """W^T (p - y), W^T (diag p - p p^T), and the largest eigenvalue of the full Hessian."""
    agent, kept = make_agent(LogisticAgent), sample(30)
    assert kept.images is not None
    assert kept.labels is not None
    measured = measure(agent.network, kept, 0)
    inputs = agent.network.standardize(kept.images).flatten(1)
    weight = agent.network.head.weight.detach()
    with torch.no_grad():
        odds = agent.network.logits(inputs).softmax(1)
    truth = torch.eye(10)[kept.labels]
    expected = ((odds - truth) @ weight).norm(dim=1).mean().item()
    assert measured["loss_sensitivity"] == pytest.approx(expected, rel=1e-4)
    softmax = torch.diag_embed(odds) - odds[:, :, None] * odds[:, None, :]
    expected = (softmax @ weight).flatten(1).norm(dim=1).mean().item()
    assert measured["output_sensitivity"] == pytest.approx(expected, rel=1e-4)
    design = torch.cat([inputs, torch.ones(30, 1)], 1)
    hessian = torch.einsum("nij,na,nb->iajb", softmax, design, design).reshape(650, 650) / 30
    top = torch.linalg.eigvalsh(hessian.double())[-1].item()
    loss = -odds[torch.arange(30), kept.labels].log().mean().item()
    expected = top * EPSILON**2 / (2.0 * (1.0 + loss))
    assert measured["spectral_sharpness"] == pytest.approx(expected, rel=2e-2)
    assert 0.0 < measured["box_sharpness"] < 100.0


def test_the_sample_holds_the_last_images_with_a_label() -> None:
    """In their order, and no more than it may."""
    kept = Sample()
    pictures = torch.arange(1500, dtype=torch.int64).remainder(251).to(torch.uint8)
    pictures = pictures.view(-1, 1, 1, 1).expand(-1, 8, 8, 1)
    labels = torch.arange(1500).remainder(11) - 1
    for part in range(0, 1500, 300):
        kept.add(pictures[part : part + 300], labels[part : part + 300])
    assert kept.images is not None
    assert kept.labels is not None
    expected = torch.nonzero(labels >= 0)[-SAMPLE:, 0]
    assert torch.equal(kept.labels, labels[expected])
    assert torch.equal(kept.images, pictures[expected])


def test_nothing_is_measured_where_nothing_was_seen_or_all_is_lost() -> None:
    """An empty sample, and a network that has diverged."""
    agent = make_agent(MlpAgent)
    assert measure(agent.network, Sample(), 0) == {}
    with torch.no_grad():
        agent.network.head.weight.fill_(float("nan"))
    assert measure(agent.network, sample(10), 0) == {}


def test_large_batches_end_in_sharper_and_more_sensitive_networks(tmp_path: Path) -> None:
    """After the same number of images (homework 1-3); the numbers stand beside the weights."""
    measured = []
    for batch_size in (64, 1024):
        agent = make_agent(MlpAgent, batch_size=batch_size, measures=True)
        learn(agent, 60_000)
        agent.save(tmp_path)
        measured.append(json.loads((tmp_path / "measures.json").read_text()))
    assert measured[0].keys() > NAMES
    for name in NAMES:
        assert measured[1][name] > 1.5 * measured[0][name] > 0.0
