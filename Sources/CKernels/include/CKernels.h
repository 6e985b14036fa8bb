// All kernels of the package – one header per user of them.
#pragma once

#include "alignment.h"
#include "checksum.h"
#include "fk_engine.h"
#include "isa.h"
#include "planes.h"
#include "resample.h"
