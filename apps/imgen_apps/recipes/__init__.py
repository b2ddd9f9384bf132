"""How each built-in model is trained: one file each; torch is needed."""

from imgen_apps.recipes import cyclegan, deraining, face_detection, faces, inpainting, pix2pix, pix2pixhd, upscaling
from imgen_apps.recipes.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    **inpainting.RECIPES,
    **upscaling.RECIPES,
    **deraining.RECIPES,
    **pix2pix.RECIPES,
    **pix2pixhd.RECIPES,
    **cyclegan.RECIPES,
    **face_detection.RECIPES,
    **faces.RECIPES,
}
