"""How each built-in model is trained: one file each; torch is needed."""

from imgen_apps.recipes import deraining, inpainting, upscaling
from imgen_apps.recipes.recipe import Recipe

RECIPES: dict[str, Recipe] = {**inpainting.RECIPES, **upscaling.RECIPES, **deraining.RECIPES}
