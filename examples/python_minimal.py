"""Fill a hole with nothing but onnxruntime, NumPy and Pillow.

imgen export inpaint-base inpaint.onnx --graph embed
python python_minimal.py inpaint.onnx photo.jpg mask.png filled.png
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, photo, mask, result = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
image = np.asarray(Image.open(photo).convert("RGB"))
hole = np.asarray(Image.open(mask).convert("L"))  # above 127 = fill; as large as the photo
(filled,) = session.run(["result"], {"image": image[None], "mask": hole[None]})
Image.fromarray(filled[0]).save(result)
