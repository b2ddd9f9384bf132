// Fill a hole with onnxruntime-node and sharp.
//
// imgen export inpaint-base inpaint.onnx --graph embed
// npm install --ignore-scripts          (without the option it fetches CUDA libraries, too)
// node inpaint.mjs inpaint.onnx photo.jpg mask.png filled.png

import ort from "onnxruntime-node";
import sharp from "sharp";

const [model, photo, mask, result] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);

const image = await sharp(photo).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
const hole = await sharp(mask).removeAlpha().toColourspace("b-w").raw().toBuffer(); // above 127 = fill; as large
const { width, height } = image.info;
const filled = await session.run({
  image: new ort.Tensor("uint8", image.data, [1, height, width, 3]),
  mask: new ort.Tensor("uint8", hole, [1, height, width]),
});
await sharp(filled.result.data, { raw: { width, height, channels: 3 } }).toFile(result);
