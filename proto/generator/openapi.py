"""openapi.json: docs/API.md for machines."""


def document(contract):
    return {"openapi": "3.1.0", "info": {"title": "Quire", "version": "1"}, "paths": {}}
