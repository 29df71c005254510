"""Prints what botocore's model of a service asks of its requests, in the form of constraints_*.txt.

python3 testdata/constraints.py config Operation... > constraints_config.txt
"""
import gzip, json, os, re, sys

import botocore

service, wanted = sys.argv[1], sys.argv[2:]
base = os.path.join(os.path.dirname(botocore.__file__), "data", service)
folder = os.path.join(base, sorted(d for d in os.listdir(base) if os.path.isdir(os.path.join(base, d)))[-1])
with gzip.open(os.path.join(folder, "service-2.json.gz")) as f:
    model = json.load(f)
shapes = model["shapes"]
# AWS Config answers these with errors of its own, not ValidationException.
SKIP = {"config": {"Limit", "NextToken", "MaxResults"}, "organizations": {"NextToken", "MaxResults"}}.get(service, {"NextToken"})
NO_MINIMUM = {"ConfigurationRecorder.name", "DeliveryChannel.name"}
KIND = {"string": "s", "integer": "i", "long": "i", "list": "l", "map": "m", "structure": "o", "boolean": "b", "timestamp": "t", "double": "i", "float": "i", "blob": "s"}
shared = {}


def line(path, shape, required):
    cells = [path, KIND[shape["type"]]]
    if required:
        cells.append("*")
    if "min" in shape and shape["min"] > 0 and path not in NO_MINIMUM:
        cells.append(f"n={shape['min']}")
    if "max" in shape:
        cells.append(f"x={shape['max']}")
    if "pattern" in shape:
        cells.append(f"p={shape['pattern']}")
    return cells


def walk(name, path, required, seen, out):
    shape = shapes[name]
    cells = line(path, shape, required)
    if "enum" in shape:
        words = "|".join(shape["enum"])
        if len(words) > 1000:
            shared[name] = words
            words = "@" + name
        cells.append("e=" + words)
    if len(cells) > 2 and path.split(".")[-1] not in SKIP:
        out.append("\t".join(cells))
    if name in seen:
        return
    seen = seen | {name}
    if shape["type"] == "structure":
        for member, m in shape["members"].items():
            walk(m["shape"], f"{path}.{member}" if path else member, member in shape.get("required", []), seen, out)
    elif shape["type"] == "list":
        walk(shape["member"]["shape"], path + ".[]", False, seen, out)
    elif shape["type"] == "map":
        walk(shape["value"]["shape"], path + ".{}", False, seen, out)


lines = []
for operation in sorted(wanted):
    o = model["operations"][operation]
    out = []
    if "input" in o:
        walk(o["input"]["shape"], "", False, frozenset(), out)
    lines += ["@" + operation] + out
print(f"#botocore {botocore.__version__}")
for name in sorted(shared):
    print(f"={name}\t{shared[name]}")
print("\n".join(lines))
