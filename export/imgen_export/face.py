"""What is traced of a network that edits faces: aligned crops and codes to a crop and codes."""

import torch
from torch import Tensor, nn

from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_export.form import Form, free_axis, levels, picture

_COUNTS = ((1,), (3,), (2,), (5,))


def core(network: Network, spec: Spec) -> Form:
    """What ``imgen face`` runs; see ``imgen.networks.face_editor``."""
    free = [{0: free_axis("batch", 64)} for _ in spec.inputs]

    def inputs(batch: int) -> tuple[Tensor, ...]:
        return (*(faces.permute(0, 3, 1, 2).float() / 255 for faces in _faces(spec, batch)), *_codes(spec, batch))

    return Form(network, spec.inputs, inputs, free, (4,), _COUNTS, 1e-4)


def embed(network: Network, spec: Spec) -> Form:
    """The same with the faces as uint8, N x S x S x 3."""
    free = [{0: free_axis("batch", 64)} for _ in spec.inputs]

    def inputs(batch: int) -> tuple[Tensor, ...]:
        return (*_faces(spec, batch), *_codes(spec, batch))

    return Form(EmbedFaces(network), spec.inputs, inputs, free, (4,), _COUNTS, 1.0)


class EmbedFaces(nn.Module):
    """A face editor from uint8 to uint8; its codes stay floats."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, identity: Tensor, attributes: Tensor, keep: Tensor, shift: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As the network's own."""
        who, what = (faces.permute(0, 3, 1, 2).float() / 255 for faces in (identity, attributes))
        made, first, second = self.network(who, what, keep, shift)
        return levels(made), first, second


def _faces(spec: Spec, batch: int) -> tuple[Tensor, Tensor]:
    images = [picture(batch, spec.size, spec.size + step)[0][..., : spec.size] for step in (0, 1)]
    first, second = ((image * 255).byte().permute(0, 2, 3, 1).contiguous() for image in images)
    return first, second


def _codes(spec: Spec, batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    values = int(spec.face["identity"]) + int(spec.face["attributes"])
    return torch.rand(batch, 2, generator=generator), torch.randn(batch, values, generator=generator)
