"""Who minimises what: one file per method, named as its paper names it."""

from imgen.engines.aae import AAE
from imgen.engines.aegan import AEGAN
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.conditional_vae import ConditionalVAE
from imgen.engines.engine import Engine
from imgen.engines.memoriser import Memoriser
from imgen.engines.vae import VAE
from imgen.engines.vae_gan import VAEGAN
from imgen.engines.wae import WAEGAN, WAEMMD

ENGINES: dict[str, type[Engine]] = {
    "aae": AAE,
    "aegan": AEGAN,
    "autoencoder": Autoencoder,
    "conditional-vae": ConditionalVAE,
    "memoriser": Memoriser,
    "vae": VAE,
    "vae-gan": VAEGAN,
    "wae-gan": WAEGAN,
    "wae-mmd": WAEMMD,
}
