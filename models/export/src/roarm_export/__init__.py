"""LeRobot SmolVLA checkpoint -> `roarm` policy bundle.

The format is described in `docs/policy-bundle.md`. From the outside in:

* `__main__`: arguments, and errors as text
* `export`: the order of the work
* `checkpoint`, `statistics`, `language`, `dataset`: read and check what LeRobot wrote; no PyTorch
* `lerobot_policy`, `position_ids`: run the policy with LeRobot's own PyTorch code
* `graphs`, `layers`, `onnx_files`: the three graphs, the transformer layers in them, and their files
* `precision`: what the graphs compute in; `half_precision`, `dynamic_int8`: the two conversions; `convert`: of a finished bundle
* `parity`: what PyTorch computed, and the proof that the graphs compute it too; `graph_runner` needs numpy and ONNX Runtime only
* `bundle`: `policy.json`, `SHA256SUMS`, and putting the finished folder in place
"""

__version__ = "0.1.0"
