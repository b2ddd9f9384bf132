"""What is learnt: modules with a frozen config; no losses, no files."""

from imgen.networks.inpainter import Inpainter
from imgen.networks.network import Network
from imgen.networks.patchgan import PatchGAN

NETWORKS: dict[str, type[Network]] = {
    "inpainter": Inpainter,
    "patchgan": PatchGAN,
}
