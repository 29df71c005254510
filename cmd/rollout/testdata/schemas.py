"""Holds documents against docs/schemas with jsonschema. Reads a JSON array of
{"schema": NAME, "document": value} or {"schema": NAME, "yaml": text} and prints an
array: of each the errors that were found. Usage: schemas.py FOLDER <documents"""
import json
import pathlib
import sys

import jsonschema
import referencing
import yaml

folder = pathlib.Path(sys.argv[1])
schemas = {p.name: json.loads(p.read_text()) for p in folder.glob("*.schema.json")}
for name, schema in schemas.items():
    jsonschema.Draft202012Validator.check_schema(schema)
registry = referencing.Registry().with_resources((name, referencing.Resource.from_contents(s, referencing.jsonschema.DRAFT202012)) for name, s in schemas.items())


def errors(asked):
    document = yaml.safe_load(asked["yaml"]) if "yaml" in asked else asked["document"]
    validator = jsonschema.Draft202012Validator(schemas[asked["schema"] + ".schema.json"], registry=registry)
    return [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(document)]


print(json.dumps([errors(asked) for asked in json.load(sys.stdin)]))
