"""The model card: what a model is, what it was made from, how to use it."""

from collections.abc import Mapping
from typing import Any

from imgen.spec import Spec

_USE = {
    "generate": """```bash
imgen sample . -n 64
imgen export . {name}.onnx
imgen sample {name}.onnx -n 64
```""",
    "classify": "Features and scores for `imgen evaluate --features model.safetensors`.",
}


def card(spec: Spec, about: str, plan: Mapping[str, Any]) -> str:
    """Markdown.

    Args:
        spec: of the model.
        about: the method: what it is, and after whom.
        plan: of the run, as config.json holds it.
    """
    size = f"{spec.size} x {spec.size} pixels" if spec.size else "points"
    settings = ", ".join(f"{key} {value}" for key, value in plan["settings"].items())
    train = ", ".join(f"{key} {plan['train'][key]}" for key in ("steps", "accumulate", "ema", "precision", "seed"))
    rows = {
        "method": " ".join(about.split()).replace("|", "\\|"),
        "engine": f"`{plan['engine']}`: {settings}",
        "data": f"{spec.data}; {size}, batches of {plan['data']['batch']}",
        "training": f"`{spec.recipe}`; {train}",
        "inputs": ", ".join(spec.inputs) + (f"; {spec.code} values of code" if spec.code else ""),
        "classes": ", ".join(plan["classes"]) or str(spec.classes or "none"),
        "licence": spec.licence,
        "made with": ", ".join(f"{name} {version}" for name, version in plan["versions"].items()),
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    use = _USE[spec.task].format(name=spec.name)
    return f"# {spec.name}\n\n| | |\n|---|---|\n{table}\n\n{use}\n"
