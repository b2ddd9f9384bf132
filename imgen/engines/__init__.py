"""Who minimises what: one file per method, named as its paper names it."""

from imgen.engines.aae import AAE
from imgen.engines.aegan import AEGAN
from imgen.engines.ali import ALI
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.bigan import BiGAN
from imgen.engines.classifier import Classifier
from imgen.engines.conditional_gan import ConditionalGAN
from imgen.engines.conditional_vae import ConditionalVAE
from imgen.engines.cvae_gan import CVAEGAN
from imgen.engines.dcgan import DCGAN
from imgen.engines.engine import Engine
from imgen.engines.gan import GAN
from imgen.engines.infogan import InfoGAN
from imgen.engines.lsgan import LSGAN
from imgen.engines.memoriser import Memoriser
from imgen.engines.vae import VAE
from imgen.engines.vae_gan import VAEGAN
from imgen.engines.wae import WAEGAN, WAEMMD
from imgen.engines.wgan import WGAN
from imgen.engines.wgan_gp import WGANGP

ENGINES: dict[str, type[Engine]] = {
    "aae": AAE,
    "aegan": AEGAN,
    "ali": ALI,
    "autoencoder": Autoencoder,
    "bigan": BiGAN,
    "classifier": Classifier,
    "conditional-gan": ConditionalGAN,
    "conditional-vae": ConditionalVAE,
    "cvae-gan": CVAEGAN,
    "dcgan": DCGAN,
    "gan": GAN,
    "infogan": InfoGAN,
    "lsgan": LSGAN,
    "memoriser": Memoriser,
    "vae": VAE,
    "vae-gan": VAEGAN,
    "wae-gan": WAEGAN,
    "wae-mmd": WAEMMD,
    "wgan": WGAN,
    "wgan-gp": WGANGP,
}
