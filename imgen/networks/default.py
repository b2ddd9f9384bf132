"""The networks an engine gets unless it is given others: DCGAN's for images, dense ones for vectors.

One ``width`` sets them all: images have at most 8 times as many channels, vectors 8 times as many
hidden units, so 64 is the size of the papers and 16 or 32 trains on a laptop.
"""

from imgen.networks.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from imgen.networks.joint import JointDiscriminator
from imgen.networks.mlp import MLP, MLPDiscriminator
from imgen.networks.network import Network
from imgen.networks.scale import Shape


def encoder(shape: Shape, outputs: int, *, width: int, norm: str = "batch", conditional: bool = False) -> Network:
    """Datum (and label) to N x outputs."""
    classes = shape.classes if conditional else 0
    if shape.size == 0:
        return MLP(MLP.Config(shape.channels, outputs, 8 * width, classes=classes))
    return ConvEncoder(ConvEncoder.Config(shape.size, shape.channels, outputs, width, 8 * width, classes, norm))


def decoder(
    shape: Shape, code: int, *, width: int, norm: str = "batch", output: str = "tanh", conditional: bool = False
) -> Network:
    """Code, N x Z (and label), to a datum; vectors are not bounded by an output function."""
    classes = shape.classes if conditional else 0
    if shape.size == 0:
        return MLP(MLP.Config(code, shape.channels, 8 * width, classes=classes))
    return ConvDecoder(ConvDecoder.Config(shape.size, shape.channels, code, width, 8 * width, classes, norm, output))


def discriminator(
    shape: Shape, *, width: int, norm: str = "batch", outputs: int = 1, conditional: bool = False
) -> Network:
    """Datum (and label) to N x outputs logits and features; vectors are not normalised."""
    classes = shape.classes if conditional else 0
    if shape.size == 0:
        return MLPDiscriminator(MLPDiscriminator.Config(shape.channels, outputs, 8 * width, classes=classes))
    return ConvDiscriminator(
        ConvDiscriminator.Config(shape.size, shape.channels, width, 8 * width, classes, norm, outputs)
    )


def joint_discriminator(shape: Shape, code: int, *, width: int) -> JointDiscriminator:
    """Datum and code to N x 1 logits."""
    return JointDiscriminator(JointDiscriminator.Config(shape.size, shape.channels, code, width, 8 * width))
