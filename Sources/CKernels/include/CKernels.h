#pragma once

#include "resample.h"
