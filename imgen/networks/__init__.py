"""What is learnt: modules with a frozen config; no losses, no files."""

from imgen.networks.attentive_discriminator import AttentiveDiscriminator
from imgen.networks.conditional_autoencoder import ConditionalAutoencoder
from imgen.networks.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from imgen.networks.face_detector import FaceDetector
from imgen.networks.face_editor import FaceEditor
from imgen.networks.inpainter import Inpainter
from imgen.networks.joint import JointDiscriminator
from imgen.networks.mapped import MappedDecoder
from imgen.networks.mlp import MLP, MLPDiscriminator
from imgen.networks.network import Network
from imgen.networks.patchgan import PatchGAN
from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator
from imgen.networks.raindrops import RaindropRemover
from imgen.networks.recogniser import Recogniser
from imgen.networks.resnet import ResNetCritic, ResNetGenerator
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen.networks.upscaler import Upscaler

NETWORKS: dict[str, type[Network]] = {
    "attentive-discriminator": AttentiveDiscriminator,
    "conditional-autoencoder": ConditionalAutoencoder,
    "conv-decoder": ConvDecoder,
    "conv-discriminator": ConvDiscriminator,
    "conv-encoder": ConvEncoder,
    "face-editor": FaceEditor,
    "face-detector": FaceDetector,
    "inpainter": Inpainter,
    "joint-discriminator": JointDiscriminator,
    "local-enhancer": LocalEnhancer,
    "mapped-decoder": MappedDecoder,
    "mlp": MLP,
    "mlp-discriminator": MLPDiscriminator,
    "multiscale-discriminator": MultiscaleDiscriminator,
    "patchgan": PatchGAN,
    "raindrop-remover": RaindropRemover,
    "recogniser": Recogniser,
    "resnet-critic": ResNetCritic,
    "resnet-generator": ResNetGenerator,
    "srgan-discriminator": SRGANDiscriminator,
    "srresnet": SRResNet,
    "translation-resnet": TranslationResNet,
    "unet": UNet,
    "upscaler": Upscaler,
}
