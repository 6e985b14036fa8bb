"""The well-known palettes as pydicom has them; writes palettes.json: name -> 256 × [r, g, b], and the UIDs."""
import json
import sys
import warnings

import numpy as np
from pydicom._uid_dict import UID_dictionary
from pydicom.pixels import apply_color_lut

warnings.simplefilter("ignore")
keywords = {"hot-iron": "HotIronPalette", "pet": "PETPalette", "hot-metal-blue": "HotMetalBluePalette",
            "pet-20-step": "PET20StepPalette"}
uids = {name: next(uid for uid, entry in UID_dictionary.items() if entry[4] == word)
        for name, word in keywords.items()}
grey = np.arange(256, dtype="u1").reshape(1, -1)
tables = {name: apply_color_lut(grey, palette=uid)[0].tolist() for name, uid in uids.items()}
json.dump({"tables": tables, "uids": uids}, open(f"{sys.argv[1]}/palettes.json", "w"))
