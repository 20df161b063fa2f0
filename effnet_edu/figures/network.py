"""The picture of a network, or of several on one scale."""

from effnet_edu.figures.picture import Numbers, ScenePicture
from effnet_edu.figures.style import FULL_WIDTH
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import as_spec
from effnet_edu.pictures.network import network_parts, network_scene
from effnet_edu.pictures.scene import joined
from effnet_edu.pictures.still import MARGIN

_WIDTH = 96 * FULL_WIDTH - 2 * MARGIN
_TALLEST = 140.0


def network(*networks: str | NetworkSpec) -> ScenePicture:
    """Draw one network, or several one above the other on the same scale.

    Args:
        *networks: Names of published networks, or specs.

    Raises:
        ValueError: No network is given, or a name is unknown.
    """
    if not networks:
        raise ValueError("There is nothing to draw: give at least one network.")
    specs = [as_spec(one) for one in networks]
    placed, y = [], 0.0
    for index, spec in enumerate(specs):
        title = f"{spec.name}: {spec.resolution} x {spec.resolution} pixels in, {spec.layers} blocks"
        scene = network_scene(spec, _WIDTH, _TALLEST, largest=specs, title=title, has_legend=not index)
        placed.append((f"network {index + 1}", scene, 0.0, y))
        y += scene.height + 14
    return ScenePicture(
        joined(", ".join(spec.name for spec in specs), placed),
        caption="Each slab is the output of one block (computed): its height grows with the square root of "
        "the side of the feature map, its thickness with that of the channels"
        + ("; all on one scale." if len(specs) > 1 else "."),
        numbers=Numbers(
            ("network", "part", "channels", "side", "layers"),
            [
                (spec.name, part.key, str(part.channels), str(part.side), str(part.layers))
                for spec in specs
                for part in network_parts(spec)
            ],
        ),
    )
