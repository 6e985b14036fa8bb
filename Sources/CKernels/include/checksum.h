// Checksums of bytes in files – no policy of what to do when they differ.
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// CRC-32 of zip, gzip and PNG (ISO 3309, polynomial 0xEDB88320 reflected) of `count` bytes.
uint32_t fk_crc32(const uint8_t *_Nullable bytes, size_t count);

#pragma clang assume_nonnull end
