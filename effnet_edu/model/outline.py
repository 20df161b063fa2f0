"""A block as the steps that a picture shows: what runs, and the shapes before and after. No torch."""

from typing import NamedTuple

from effnet_edu.model.specs import BlockSpec


class Step(NamedTuple):
    """One operation of a block.

    Attributes:
        role: `expand`, `depthwise`, `squeeze_excite`, `project` or `fused`, as in `ee.cost`.
        label: What a picture calls it, such as `depthwise 5x5`.
        channels_before: Channels that it reads.
        channels_after: Channels that it writes.
        side_after: Side of the map that it writes, in pixels.
    """

    role: str
    label: str
    channels_before: int
    channels_after: int
    side_after: int


def steps(block: BlockSpec) -> tuple[Step, ...]:
    """Return the operations of a block's branch, in the order in which they run."""
    c_in, c_mid, c_out = block.channels_in, block.channels_hidden, block.channels_out
    before, after, square = block.side_in, block.side_out, f"{block.kernel}x{block.kernel}"
    project = Step("project", "project 1x1", c_mid, c_out, after)
    if block.operation == "fused_mbconv":
        if block.expansion == 1:
            return (Step("fused", f"conv {square}", c_in, c_out, after),)
        return (Step("fused", f"fused {square}", c_in, c_mid, after), project)
    found = [Step("depthwise", f"depthwise {square}", c_mid, c_mid, after)]
    if block.expansion > 1:
        found.insert(0, Step("expand", "expand 1x1", c_in, c_mid, before))
    if block.squeeze_channels:
        squeeze = f"SE, width {block.squeeze_channels}"
        found.append(Step("squeeze_excite", squeeze, c_mid, c_mid, after))
    return (*found, project)
