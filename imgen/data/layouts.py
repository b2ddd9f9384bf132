"""Where the images of two domains, A and B, lie: in two folders, or side by side in one image."""

from collections.abc import Sequence
from pathlib import Path

from imgen.data.photos import find_photos
from imgen.errors import UsageError

LAYOUTS = (("trainA", "trainB"), ("train/A", "train/B"), ("A", "B"), ("train_label", "train_img"))
"""Names of the folders of A and of B in one that is given."""
INSTANCES = "train_inst"
"""Name of the folder of instance maps beside them."""
ENDINGS = ("_A", "_B", "_L", "_label", "_gtFine_labelIds", "_gtFine_instanceIds", "_leftImg8bit")
"""Of the names of partners in published sets (CamVid, Cityscapes, ...), which do not count."""

_NAMED = 3  # of the files without a partner


def find_images(folders: Sequence[Path]) -> list[Path]:
    """Those in some folders and below them, each folder's sorted by name.

    Raises:
        UsageError: not folders, or fewer than two images.
    """
    paths, names = list(find_photos(folders)), ", ".join(map(str, folders))
    if not paths:
        raise UsageError(f"{names}: no images in it or below")
    if len(paths) == 1:
        raise UsageError(f"{paths[0]} is the only image in {names}; two are needed, and hundreds to learn from")
    return paths


def find_domains(data: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The images of A and of B, each sorted by name.

    Args:
        data: two folders, or one that holds both as one of ``LAYOUTS``.

    Raises:
        UsageError: these are no two folders with at least two images each.
    """
    a, b = _two(data)
    return find_images([a]), find_images([b])


def find_pairs(data: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The image of A and that of B of each pair, sorted by name; one and the same where both are in it, side by side.

    Args:
        data: two folders with files of equal names, one that holds both as one of ``LAYOUTS``, or one of images with
            A on the left and B on the right; where such a one holds a folder ``train``, that. In a name count the
            folders below the one given, but neither suffixes nor ``ENDINGS``.

    Raises:
        UsageError: fewer than two pairs, or files without a partner.
    """
    if len(data) == 1 and _layout(data[0]) is None:
        within = data[0] / "train"
        return [(path, path) for path in find_images([within if within.is_dir() else data[0]])]
    return [(a, b) for a, b in _matched(_two(data))]


def find_scenes(data: Sequence[Path]) -> list[tuple[Path, ...]]:
    """The label map, the photograph and, where there are such, the instance map of each scene, sorted by name.

    Args:
        data: two or three folders with files of equal names, as of ``find_pairs``, or one that holds them as one of
            ``LAYOUTS`` and, if there are instance maps, ``INSTANCES``.

    Raises:
        UsageError: fewer than two scenes, or files without a partner.
    """
    if len(data) == 3:
        return _matched(data)
    folders = _two(data)
    instances = data[0] / INSTANCES
    return _matched([*folders, instances] if len(data) == 1 and instances.is_dir() else folders)


def _two(data: Sequence[Path]) -> tuple[Path, Path]:
    """The folders of A and of B."""
    if len(data) > 2:
        raise UsageError(f"{data[2]} is a folder too many; give those of two domains, or one that holds both")
    if len(data) == 2:
        return data[0], data[1]
    found = _layout(data[0])
    if found is None:
        known = " or ".join("{} and {}".format(*layout) for layout in LAYOUTS)
        raise UsageError(f"{data[0]} holds no two domains; give --data A --data B, or a folder that holds {known}")
    return found


def _layout(folder: Path) -> tuple[Path, Path] | None:
    """What of ``LAYOUTS`` a folder holds, if anything."""
    for names in LAYOUTS:
        both = folder / names[0], folder / names[1]
        missing = [path for path in both if not path.is_dir()]
        if not missing:
            return both
        if len(missing) == 1:
            raise UsageError(f"{missing[0]} is not a folder; {' and '.join(names)} belong together")
    return None


def _matched(folders: Sequence[Path]) -> list[tuple[Path, ...]]:
    """The files of equal names in all folders.

    Raises:
        UsageError: a folder has a file that another one does not have, or two of one name.
    """
    named = [_by_name(folder) for folder in folders]
    alone = [path for files in named for name, path in files.items() if not all(name in others for others in named)]
    if alone:
        counts = ", ".join(f"{folder} holds {len(files)}" for folder, files in zip(folders, named, strict=True))
        names = ", ".join(map(str, alone[:_NAMED])) + (f" and {len(alone) - _NAMED} more" * (len(alone) > _NAMED))
        raise UsageError(f"{counts} images; without a partner: {names}; name partners alike, or remove them")
    return [tuple(files[name] for files in named) for name in named[0]]


def _by_name(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in find_images([folder]):
        name = path.relative_to(folder).with_suffix("").as_posix()
        for ending in ENDINGS:
            name = name.removesuffix(ending)
        if name in found:
            raise UsageError(f"{found[name]} and {path.name} are both called {name}; remove or rename one of them")
        found[name] = path
    return found
