// Fill a hole with nothing but onnxruntime: pictures are PPM and PGM files, which need no library.
//
// imgen export inpaint-base inpaint.onnx --graph embed
// convert photo.jpg photo.ppm; convert mask.png mask.pgm
// build/inpaint inpaint.onnx photo.ppm mask.pgm filled.ppm

#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

struct Picture {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> bytes;
};

Picture read(const std::string& path, const std::string& kind, int64_t channels) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  Picture picture;
  int most = 0;
  if (!(file >> magic >> picture.width >> picture.height >> most) || magic != kind || most != 255)
    throw std::runtime_error(path + ": not a " + kind + " file of 8 bits");
  file.get();  // the one blank before the pixels
  picture.bytes.resize(picture.width * picture.height * channels);
  file.read(reinterpret_cast<char*>(picture.bytes.data()), picture.bytes.size());
  return picture;
}

int main(int count, char** words) try {
  if (count != 5) throw std::runtime_error("inpaint MODEL.onnx PHOTO.ppm MASK.pgm RESULT.ppm");
  Picture image = read(words[2], "P6", 3), mask = read(words[3], "P5", 1);  // above 127 = fill; as large as the photo
  Ort::Env environment(ORT_LOGGING_LEVEL_WARNING);
  Ort::Session session(environment, words[1], Ort::SessionOptions());
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const std::array<int64_t, 4> shape{1, image.height, image.width, 3};
  const std::array<int64_t, 3> mask_shape{1, mask.height, mask.width};
  std::array<Ort::Value, 2> inputs{
      Ort::Value::CreateTensor<uint8_t>(memory, image.bytes.data(), image.bytes.size(), shape.data(), shape.size()),
      Ort::Value::CreateTensor<uint8_t>(memory, mask.bytes.data(), mask.bytes.size(), mask_shape.data(), mask_shape.size())};
  const char* const names[] = {"image", "mask"};
  const char* const made[] = {"result"};
  auto results = session.Run(Ort::RunOptions(), names, inputs.data(), inputs.size(), made, 1);
  std::ofstream file(words[4], std::ios::binary);
  file << "P6\n" << image.width << " " << image.height << "\n255\n";
  file.write(results[0].GetTensorData<char>(), image.bytes.size());
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
