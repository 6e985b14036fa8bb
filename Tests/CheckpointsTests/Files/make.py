"""Checkpoints that PyTorch really wrote, small, and damaged or hostile ones made of them.

They are committed, so that the tests need no PyTorch. Usage: python make.py (in this folder).
"""
import os
import pickle
import zipfile
from collections import OrderedDict

import torch

NETS = ("encoder", "transfer", "reg_net", "fusion_net")


def nets(change=lambda t: t, prefix=""):
    made = {}
    for k, net in enumerate(NETS):
        state = OrderedDict()
        state[prefix + "a.weight"] = change((torch.arange(6.0) - 10 * k).reshape(2, 3) / 4)
        state[prefix + "a.bias"] = change(torch.tensor([0.5 + k, -2.0]))
        made[net + "_state_dict"] = state
    return made


class Hostile:
    def __reduce__(self):
        return os.system, ("echo this must never be printed",)


def repacked(source, target, change, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))


same = lambda name, data: data  # noqa: E731
torch.save({**nets(), "epoch": 2999}, "plain.pt")
torch.save(nets(), "protocol4.pt", pickle_protocol=4)
torch.save(nets(lambda t: t.half()), "half.pt")
torch.save(nets(lambda t: t.bfloat16()), "bfloat16.pt")
torch.save(nets(lambda t: t.double()), "double.pt")
torch.save(nets(lambda t: t.t().contiguous().t() if t.dim() == 2 else t), "strided.pt")
torch.save(nets(torch.nn.Parameter), "parameters.pt")
torch.save(nets(prefix="module."), "parallel.pt")
torch.save(nets(lambda t: torch.cat((torch.zeros(5), t.flatten()))[5:].view_as(t)), "offset.pt")
net = torch.nn.Linear(3, 2)
adam = torch.optim.Adam(net.parameters())
net(torch.ones(3)).sum().backward()
adam.step()
rate = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 10)
torch.save({**nets(), "optimizer": adam.state_dict(), "scheduler": rate.state_dict(), "note": None,
            "big": 2**40, "minus": -2**40, "ratio": 0.25, "list": [1, True]}, "training.pt")

torch.save(nets(), "old_format.pt", _use_new_zipfile_serialization=False)
torch.save({**nets(), "extra": Hostile()}, "hostile.pt")
torch.save(net, "module.pt")
missing = nets()
del missing["reg_net_state_dict"]
torch.save(missing, "three_nets.pt")
torch.save(nets(lambda t: t / 0), "infinite.pt")
torch.save(nets(lambda t: t.long()), "whole_numbers.pt")
torch.save(nets(lambda t: t[:1].clone().expand_as(t) if t.dim() == 2 else t), "expanded.pt")
repacked("plain.pt", "compressed.pt", same, zipfile.ZIP_DEFLATED)
repacked("plain.pt", "big_endian.pt", lambda n, d: b"big" if n.endswith("byteorder") else d)
repacked("plain.pt", "short_storage.pt", lambda n, d: d[:-4] if "/data/" in n else d)
repacked("plain.pt", "recursive.pt", lambda n, d: (
    b"\x80\x02" + b")" + b"\x85" * 2_000_0 + b"." if n.endswith("data.pkl") else d))
repacked("plain.pt", "builtin.pt", lambda n, d: (
    pickle.dumps(print, 4) if n.endswith("data.pkl") else d))
