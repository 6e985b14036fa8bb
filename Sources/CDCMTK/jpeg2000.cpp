// JPEG 2000 through OpenJPEG, because Debian's DCMTK is built without it; goes when DCMTK decodes it here.
#include "internal.hpp"

#if __has_include(<openjpeg-2.5/openjpeg.h>)
#include <openjpeg-2.5/openjpeg.h>
#else
#include <openjpeg.h>
#endif

#include <algorithm>

namespace {

/// The codestream as OpenJPEG's stream wants it.
struct Source {
  const std::vector<uint8_t> *bytes;
  size_t at = 0;
};

OPJ_SIZE_T read_bytes(void *target, OPJ_SIZE_T count, void *context) {
  auto &source = *static_cast<Source *>(context);
  const size_t left = source.bytes->size() - source.at;
  if (left == 0) return OPJ_SIZE_T(-1);
  const size_t taken = std::min<size_t>(count, left);
  std::memcpy(target, source.bytes->data() + source.at, taken);
  source.at += taken;
  return taken;
}

OPJ_OFF_T skip_bytes(OPJ_OFF_T count, void *context) {
  auto &source = *static_cast<Source *>(context);
  if (count < 0) return -1;
  const size_t skipped = std::min<uint64_t>(uint64_t(count), source.bytes->size() - source.at);
  source.at += skipped;
  return OPJ_OFF_T(skipped);
}

OPJ_BOOL seek_to(OPJ_OFF_T position, void *context) {
  auto &source = *static_cast<Source *>(context);
  if (position < 0 || uint64_t(position) > source.bytes->size()) return OPJ_FALSE;
  source.at = size_t(position);
  return OPJ_TRUE;
}

using Stream = std::unique_ptr<opj_stream_t, decltype(&opj_stream_destroy)>;
using Codec = std::unique_ptr<opj_codec_t, decltype(&opj_destroy_codec)>;
using Image = std::unique_ptr<opj_image_t, decltype(&opj_image_destroy)>;

Stream open_stream(Source &source) {
  Stream stream(opj_stream_create(OPJ_J2K_STREAM_CHUNK_SIZE, OPJ_TRUE), &opj_stream_destroy);
  if (!stream) throw std::bad_alloc();
  opj_stream_set_read_function(stream.get(), read_bytes);
  opj_stream_set_skip_function(stream.get(), skip_bytes);
  opj_stream_set_seek_function(stream.get(), seek_to);
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), source.bytes->size());
  return stream;
}

/// A bare codestream begins with SOC, a JP2 file with its signature box (ISO 15444-1 A.4.1, I.5.1).
Codec create_codec(const std::vector<uint8_t> &bytes) {
  const bool bare = bytes.size() > 1 && bytes[0] == 0xFF && bytes[1] == 0x4F;
  Codec codec(opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2), &opj_destroy_codec);
  if (!codec) throw std::bad_alloc();
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  // A palette or component mapping of a JP2 header is no business of DICOM's (PS3.5 8.2.4).
  parameters.flags |= OPJ_DPARAMETERS_IGNORE_PCLR_CMAP_CDEF_FLAG;
  if (!opj_setup_decoder(codec.get(), &parameters)) throw std::bad_alloc();
  return codec;
}

/// Does the codestream hold what the header promises? Checked before a pixel is decoded.
dk_status check_image(const opj_image_t &image, const dk_pixels &pixels) {
  if (image.numcomps != uint32_t(pixels.samples))
    return dk::failure(DK_DAMAGED, "JPEG 2000 frame has %u components instead of %d", image.numcomps,
                       int(pixels.samples));
  for (OPJ_UINT32 index = 0; index < image.numcomps; ++index) {
    const opj_image_comp_t &component = image.comps[index];
    if (component.dx != 1 || component.dy != 1)
      return dk::failure(DK_UNSUPPORTED_PIXELS, "JPEG 2000 components are subsampled");
    if (component.prec == 0 || component.prec > uint32_t(pixels.bits_allocated))
      return dk::failure(DK_UNSUPPORTED_PIXELS, "JPEG 2000 samples of %u bits do not fit into Bits Allocated",
                         component.prec);
  }
  const uint64_t width = uint64_t(image.x1) - image.x0, height = uint64_t(image.y1) - image.y0;
  if (image.x1 < image.x0 || image.y1 < image.y0 || width != uint64_t(pixels.columns) ||
      height != uint64_t(pixels.rows))
    return dk::failure(DK_DAMAGED, "JPEG 2000 frame is not of the header's Rows and Columns");
  return dk::success();
}

template <typename Sample> void copy(const opj_image_t &image, size_t count, uint8_t *buffer) {
  for (OPJ_UINT32 index = 0; index < image.numcomps; ++index)
    for (size_t pixel = 0; pixel < count; ++pixel) {
      const Sample value = Sample(uint32_t(image.comps[index].data[pixel]));
      std::memcpy(buffer + (pixel * image.numcomps + index) * sizeof value, &value, sizeof value);
    }
}

} // namespace

dk_status dk::decode_jpeg2000(const std::vector<uint8_t> &codestream, const dk_pixels &pixels, uint8_t *buffer) {
  const char *undecodable = "JPEG 2000 frame cannot be decoded; send it again";
  Source source{&codestream};
  const Stream stream = open_stream(source);
  const Codec codec = create_codec(codestream);
  opj_image_t *header = nullptr;
  const bool has_header = opj_read_header(stream.get(), codec.get(), &header);
  const Image image(header, &opj_image_destroy);
  if (!has_header || !image) return failure(DK_DAMAGED, "%s", undecodable);
  const dk_status status = check_image(*image, pixels);
  if (status.code != DK_OK) return status;
  if (!opj_decode(codec.get(), stream.get(), image.get())) return failure(DK_DAMAGED, "%s", undecodable);
  const size_t count = size_t(pixels.rows) * size_t(pixels.columns);
  for (OPJ_UINT32 index = 0; index < image->numcomps; ++index) {
    const opj_image_comp_t &component = image->comps[index];
    if (component.data == nullptr || size_t(component.w) * component.h != count)
      return failure(DK_DAMAGED, "%s", undecodable);
  }
  if (pixels.bytes_per_sample == 1) copy<uint8_t>(*image, count, buffer);
  if (pixels.bytes_per_sample == 2) copy<uint16_t>(*image, count, buffer);
  if (pixels.bytes_per_sample == 4) copy<uint32_t>(*image, count, buffer);
  return success();
}
