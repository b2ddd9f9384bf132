"""Does an edited face stay who it is, and does it do what was asked? By people whom the model never saw.

    python benchmarks/face_quality.py PEOPLE --known TRAINED --model face-base --identity-model EMBEDDING.onnx

PEOPLE and TRAINED are folders of aligned faces (128 x 128), one a person, with a table ``index.csv``: file,
identity, smile.

Verification: the balanced accuracy, over all pairs of pictures of PEOPLE, of "these are one person" by the cosine of
the model's own identity code, at the threshold in the model's file and at the best one; and of the embedding's.

Swap: to each picture of PEOPLE in turn is given the identity of a picture of another one; the embedding looks for the
person among the mean embeddings of all of PEOPLE (rank 1). Its attributes are kept where a classifier of smiles sees
what it sees in the picture that they are of. That is logistic regression on EfficientNet-Lite0's features of the lower
half of the face, learnt on TRAINED, and its accuracy on PEOPLE is given too.

Both are judged as they lie in the pictures, as ``imgen face`` writes them, and as the network makes them.

Edit: smile=1 on those who do not smile, and on those who do. How many does that classifier see smile then, and how
near, by the model's own code and by the embedding, is the result to the picture, as a share of how near the picture
merely reconstructed is.
"""

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from judges import Chooser
from numpy.typing import NDArray

from imgen.image import face as frame
from imgen.runtime import load
from imgen_apps.face_alignment import in_the_colours_of, in_the_light_of, paste
from imgen_apps.face_finding import Face
from imgen_apps.face_identity import Identity, own, recogniser
from imgen_apps.face_model import Codes, FaceModel
from imgen_apps.recipes.people import same_person_threshold

AT_ONCE = 32
MOUTH = (0.56, 0.96, 0.25, 0.75)  # top, bottom, left and right, in parts of the crop

Crops = NDArray[np.float32]  # N x 3 x S x S in 0..1


class People(NamedTuple):
    """Some faces."""

    crops: Crops
    who: NDArray[np.int64]
    smiles: NDArray[np.int64]  # -1 where it is not known


def read(folder: Path, size: int) -> People:
    """What a folder's table lists."""
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = [cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR_RGB) for row in rows]
    crops = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
    names = sorted({row["identity"] for row in rows})
    return People(
        crops.transpose(0, 3, 1, 2).astype(np.float32) / 255,
        np.array([names.index(row["identity"]) for row in rows]),
        np.array([int(row["smile"] or -1) for row in rows]),
    )


def mouths(crops: Crops) -> list[NDArray[np.uint8]]:
    """What the classifier of smiles looks at: the lower half of the face, enlarged."""
    size = crops.shape[-1]
    top, bottom, left, right = (round(part * size) for part in MOUTH)
    images = (crops[:, :, top:bottom, left:right] * 255).round().astype(np.uint8).transpose(0, 2, 3, 1)
    return [cv2.resize(image, (128, 128), interpolation=cv2.INTER_CUBIC) for image in images]


def embed(identity: Identity, crops: Crops) -> NDArray[np.float64]:
    """Unit codes, N x D."""
    parts = [identity.embed(crops[first : first + AT_ONCE]) for first in range(0, len(crops), AT_ONCE)]
    codes = np.concatenate(parts).astype(np.float64)
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


def verification(people: People, codes: NDArray[np.float64], threshold: float | None) -> dict[str, float]:
    """Balanced accuracy at a threshold, and at the best one."""
    import torch

    first, second = np.triu_indices(len(codes), 1)
    same, cosines = people.who[first] == people.who[second], (codes @ codes.T)[first, second]

    def balanced(at: float) -> float:
        return float(((cosines[same] >= at).mean() + (cosines[~same] < at).mean()) / 2)

    best = same_person_threshold(torch.from_numpy(codes), people.who)
    row = {"best threshold": best, "accuracy there": balanced(best)}
    return row if threshold is None else {"threshold": threshold, "accuracy": balanced(threshold), **row}


def decode(model: FaceModel, codes: Codes) -> Crops:
    """Faces, a few at a time."""
    slices = [slice(first, first + AT_ONCE) for first in range(0, len(codes.identity), AT_ONCE)]
    return np.concatenate([model.decode(Codes(*(code[part] for code in codes))) for part in slices])


def encode(model: FaceModel, crops: Crops) -> Codes:
    """Codes, a few at a time."""
    parts = [model.encode(crops[first : first + AT_ONCE]) for first in range(0, len(crops), AT_ONCE)]
    return Codes(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def swap(model: FaceModel, judge: Identity, chooser: Chooser, people: People, seed: int) -> dict[str, float]:
    """Everyone with the identity of somebody else."""
    rng, codes = np.random.default_rng(seed), encode(model, people.crops)
    by_person = defaultdict(list)
    for number, person in enumerate(people.who):
        by_person[person].append(number)
    wanted = np.array([rng.choice([p for p in by_person if p != person]) for person in people.who])
    sources = np.array([rng.choice(by_person[person]) for person in wanted])
    made = decode(model, Codes(codes.identity[sources], codes.attributes))
    coloured = [in_the_colours_of(crop[None], each[None]) for crop, each in zip(people.crops, made, strict=True)]
    swapped = pasted(people.crops, people.crops, np.concatenate(coloured))
    real = embed(judge, people.crops)
    means = np.stack([real[numbers].mean(0) for _, numbers in sorted(by_person.items())])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    found, found_own = ((embed(judge, each) @ means.T).argmax(1) for each in (swapped, made))
    again = (embed(judge, decode(model, codes)) @ means.T).argmax(1)
    known = people.smiles >= 0
    before, after, after_own = (chooser.is_second(mouths(each)) for each in (people.crops, swapped, made))
    return {
        "rank 1": float((found == wanted).mean()),
        "rank 1, the network's own result": float((found_own == wanted).mean()),
        "rank 1 of whose attributes it has": float((found == people.who).mean()),
        "rank 1 reconstructed": float((again == people.who).mean()),
        "smile kept": float((before == after).mean()),
        "smile kept, the network's own result": float((before == after_own).mean()),
        "smile classifier on real": float((before == (people.smiles == 1))[known].mean()),
    }


def pasted(crops: Crops, befores: Crops, afters: Crops) -> Crops:
    """What the network changes in faces, brought into the pictures as ``imgen face`` does it."""
    size = crops.shape[-1]
    face = Face((0, 0, size, size), 1.0, np.array(frame.POINTS) * size / frame.SIDE)
    images = crops.transpose(0, 2, 3, 1).copy()
    for image, before, after in zip(images, befores, afters, strict=True):
        paste(image, face, before[None], after[None])
    return images.transpose(0, 3, 1, 2)


def edit(
    model: FaceModel, judges: dict[str, Identity], chooser: Chooser, people: People, smile: bool
) -> dict[str, float]:
    """Make those smile who do not, or those who do."""
    crops = people.crops[people.smiles == smile]
    crops = crops[chooser.is_second(mouths(crops)) == smile]
    codes = encode(model, crops)
    plain = decode(model, codes)
    shifts, counted = zip(*(model.shift({"smile": 1.0}, each[None]) for each in codes.attributes), strict=True)
    smiling = decode(model, codes._replace(attributes=codes.attributes + np.concatenate(shifts)))
    lit = [in_the_light_of(*(part[None] for part in each)) for each in zip(crops, plain, smiling, strict=True)]
    edited = pasted(crops, *(np.concatenate(each) for each in zip(*lit, strict=True)))
    row = {
        "faces": float(len(crops)),
        "of the amount counted": float(np.mean(counted)),
        "smile now": float(chooser.is_second(mouths(edited)).mean()),
        "the network's own result smiles": float(chooser.is_second(mouths(smiling)).mean()),
        "reconstructed, smiles": float(chooser.is_second(mouths(plain)).mean()),
    }
    for name, judge in judges.items():
        real, unedited, result = (embed(judge, each) for each in (crops, plain, smiling))
        merely, after = (float((real * each).sum(1).mean()) for each in (unedited, result))
        carried = float((real * embed(judge, edited)).sum(1).mean())
        row |= {f"{name}: reconstructed": merely, f"{name}: smiling": after, f"{name}: share": after / merely}
        row |= {f"{name}: carried over": carried}
    return row


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=Path)
    parser.add_argument("--known", type=Path, required=True, help="people that the model was trained on")
    parser.add_argument("--model", default="face-base")
    parser.add_argument("--identity-model", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = FaceModel(load(arguments.model, device=arguments.device))
    people, known = (read(folder, model.size) for folder in (arguments.people, arguments.known))
    judges = {"own": own(model), "embedding": recogniser(arguments.identity_model)}
    chooser = Chooser()
    chooser.learn(*(mouths(known.crops[known.smiles == value]) for value in (0, 1)))
    table: dict[str, dict[str, float]] = {
        f"verification, {name}": verification(people, embed(judge, people.crops), judge.threshold)
        for name, judge in judges.items()
    }
    table["swap"] = swap(model, judges["embedding"], chooser, people, arguments.seed)
    for smile in (False, True):
        table[f"edit, of those who {'smile' if smile else 'do not'}"] = edit(model, judges, chooser, people, smile)
    for title, row in table.items():
        sys.stdout.write(f"{title}\n" + "".join(f"  {name:36s} {value:.3f}\n" for name, value in row.items()))


if __name__ == "__main__":
    main()
