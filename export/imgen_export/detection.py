"""What is traced of a network that finds faces for other programs: photos of any size to boxes and landmarks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.image import face
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_export.form import Form, embed_sizes, free_axis, picture


def embed(network: Network, spec: Spec) -> Form:
    """uint8 pixels of any size to all that the network thinks of them, at one size."""
    axes = dict(enumerate((free_axis("batch", 64), free_axis("rows"), free_axis("columns"))))

    def inputs(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        image, _ = picture(batch, height, width)
        return ((image * 255).byte().permute(0, 2, 3, 1).contiguous(),)

    module = EmbedFaceDetector(network, spec.multiple)
    return Form(module, spec.inputs, inputs, [axes], *embed_sizes(spec.multiple), 0.1)  # of pixels


class EmbedFaceDetector(nn.Module):
    """A face detector for uint8 pixels, N x H x W x 3, of any height and width.

    Gives for each of its K places ``score``, N x K, and ``pose``, N x K x 14 in pixels: left, top, width and height of
    the face's box, then x and y of its eyes, nose and corners of the mouth as ``imgen.image.face.POINTS`` has them. To
    do: keep those of a high score that no better one overlaps; and look at the photo at a half, a quarter ... of its
    size as well, for larger faces.
    """

    points: Tensor

    def __init__(self, network: Network, stride: int) -> None:
        super().__init__()
        self.network, self.stride = network, stride
        away = (torch.tensor(face.POINTS) - torch.tensor(face.CENTRE)) / face.HEIGHT
        self.register_buffer("points", away)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        values = image.permute(0, 3, 1, 2).float() / 255
        height, width = image.shape[1], image.shape[2]
        values = F.pad(values, (0, -width % self.stride, 0, -height % self.stride), "replicate")
        score, pose = self.network(values)
        down = torch.arange(score.shape[2], device=score.device)[:, None] + 0.5
        across = torch.arange(score.shape[3], device=score.device) + 0.5
        x, y = self.stride * (across + pose[:, 0]), self.stride * (down + pose[:, 1])
        size = self.stride * pose[:, 2].clamp(-3, 5).exp()
        cos, sin = pose[:, 3:].unbind(1)
        length = (cos * cos + sin * sin).clamp(min=1e-12).sqrt()
        cos, sin = size * cos / length, size * sin / length
        wide = face.WIDTH / face.HEIGHT
        right = ((wide * cos) ** 2 + sin**2).sqrt() / 2
        below = ((wide * sin) ** 2 + cos**2).sqrt() / 2
        parts = [x - right, y - below, 2 * right, 2 * below]
        for point in self.points:
            parts += [x + point[0] * cos - point[1] * sin, y + point[0] * sin + point[1] * cos]
        return score.flatten(1), torch.stack(parts, -1).flatten(1, 2)
