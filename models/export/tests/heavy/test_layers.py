"""The layers of the graphs against those of transformers and LeRobot, with random weights."""

import pytest
import torch
from lerobot.policies.smolvla.smolvlm_with_expert import apply_rope
from roarm_export import layers
from roarm_export.layers import Rotation, TextLayer, VisionLayer, mask_to_bias, merged, widened
from torch import nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding
from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig
from transformers.models.smolvlm.modeling_smolvlm import SmolVLMEncoderLayer


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
def test_merged_is_all_of_its_layers(bias):
    parts = [nn.Linear(24, width, bias=bias) for width in (32, 8, 16)]
    x = torch.randn(1, 5, 24)
    close(merged(*parts)(x), torch.cat([part(x) for part in parts], dim=-1))


def test_widened_computes_the_same_away_from_aliasing_rows():
    before, after = [nn.Linear(8, 1024), nn.Linear(8, 1024)], nn.Linear(1024, 8)
    (gate, up), down = widened(before, after)
    assert gate.out_features == up.out_features == down.in_features == 1024 + 16
    x = torch.randn(3, 8)
    close(down(nn.functional.silu(gate(x)) * up(x)), after(nn.functional.silu(before[0](x)) * before[1](x)))
    unchanged = [nn.Linear(8, 1040)], nn.Linear(1040, 8)
    assert widened(*unchanged) == unchanged


@pytest.mark.parametrize(("heads_of_scores", "at_once"), [(4, 4), (3, 2), (0, 1)])
def test_vision_layer_is_that_of_transformers(monkeypatch, heads_of_scores, at_once):
    config = SmolVLMVisionConfig(hidden_size=32, intermediate_size=1024, num_attention_heads=4)
    config._attn_implementation = "eager"
    theirs = SmolVLMEncoderLayer(config).eval()
    monkeypatch.setattr(layers, "SCORES_BYTES", heads_of_scores * 4 * 9 * 9)
    ours = VisionLayer(theirs, 9)
    assert ours.at_once == at_once
    x = torch.randn(1, 9, 32)
    found = theirs(x, None)
    close(ours(x), found[0] if isinstance(found, tuple) else found)


def test_rotation_is_lerobots():
    x, positions = torch.randn(1, 7, 6, 16), torch.tensor([[0, 1, 2, 3, 3, 9, 200]])
    assert torch.equal(Rotation(positions, 16)(x), apply_rope(x, positions))


def test_text_layer_is_that_of_transformers():
    config = LlamaConfig(hidden_size=96, intermediate_size=1024, num_attention_heads=6, num_key_value_heads=2, head_dim=16, rope_theta=10_000.0)
    config._attn_implementation = "eager"
    theirs = LlamaDecoderLayer(config, 0).eval()
    ours = TextLayer(theirs, 6, 2, cross=False)
    x, positions = torch.randn(1, 7, 96), torch.arange(7)[None]
    seen = torch.ones(7, 7, dtype=torch.bool).tril()
    bias = mask_to_bias(seen)
    found = theirs(x, attention_mask=bias[None, None], position_embeddings=LlamaRotaryEmbedding(config)(x, positions))
    queries, keys, values = ours.queries_keys_values(x, Rotation(positions, 16))
    close(ours(x, queries, keys, values, bias.repeat(3, 1)), found[0] if isinstance(found, tuple) else found)
