"""The page to try photos on, and the same over HTTP: `hardpairs serve`."""

import asyncio
import base64
import io
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from PIL import Image
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from hardpairs.errors import InputError
from hardpairs.serving.answer import Answer, Kept, answer
from hardpairs.serving.guard import Guard
from hardpairs.serving.model import Description, ExportedModel
from hardpairs.serving.pages import render_interface, render_page
from hardpairs.serving.uploads import MOST_BYTES, read_upload

# Of Pillow's decoders those that are quick whatever they are given: some others, as of plain PPM
# or packed BMP, go byte by byte in Python.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 25_000_000
AT_ONCE = 2
# The report's own policy, which names its script by hash, stands in it. It may ask for nothing.
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Doubt(BaseModel):
    """A reason not to trust a prediction."""

    code: str = Field(description="for programs", examples=["unlike"])
    sentence: str = Field(description="for people")


class TrainingImage(BaseModel):
    """A training image."""

    train_image: int = Field(description="its row in the training split")
    class_name: str = Field(alias="class", description="its label's class")
    image: str = Field(description="PNG, as a data URL")


class Direction(BaseModel):
    """One of the two ways in which the two most probable classes are mixed up."""

    true: str = Field(description="the class that such images have")
    predicted: str = Field(description="the class that they were taken for")
    href: str = Field(description="its images in the run's report")


class Prediction(BaseModel):
    """What the net says of a photo."""

    photo: str = Field(description="its name, as it was sent")
    class_name: str | None = Field(
        alias="class", description="the most probable class; null where nothing is found"
    )
    probability: float | None = Field(description="of that class, 0 to 1, or null")
    probabilities: dict[str, float] = Field(description="by class, the most probable first")
    doubts: list[Doubt] = Field(description="why not to trust it; empty where nothing is")
    pair: str = Field(description="how often the two most probable classes are mixed up, or empty")
    less_like_than: float | None = Field(
        description="share of the test images that are less like the training images"
    )
    nearest: list[TrainingImage] = Field(description="nearest first")
    typical: list[TrainingImage] = Field(description="of the most probable class")
    picture: list[list[list[int]]] = Field(description="what the net saw: rows, pixels, channels")
    image: str = Field(description="what the net saw: PNG, as a data URL")
    taken_for: list[Direction] = Field(
        description="where the run's report shows that pair; empty where there is none"
    )


REQUEST_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": {"type": "string", "format": "binary"}},
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {"type": "string", "format": "byte", "description": "in base64"},
                    "name": {"type": "string"},
                },
            }
        },
    },
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "another form"},
    403: {"description": "sent by another site's page"},
    408: {"description": "sent too slowly"},
    413: {"description": f"more than {MOST_BYTES:,} bytes"},
    415: {"description": "neither a form nor JSON"},
    422: {"description": f"no {', '.join(FORMATS)}, damaged, or of too many pixels"},
}


def make_app(model: ExportedModel, *, names: frozenset[str], any_address: bool) -> Guard:
    """Make the application that answers for one exported net.

    Args:
        model: The net.
        names, any_address: As `hardpairs.serving.guard.Guard` takes them.
    """
    report = model.folder / "report.html"
    has_report = report.is_file()
    app = FastAPI(
        title="hardpairs",
        summary="What a photo shows, and when not to trust it.",
        version="1",
        docs_url=None,  # FastAPI's own loads its script from elsewhere.
        redoc_url=None,
    )
    workers = ThreadPoolExecutor(AT_ONCE, "photo")

    @app.get("/healthz", summary="Say that the server is up.", response_description="it is up")
    async def check_health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post(
        "/predict",
        summary="Say what a photo shows.",
        response_model=Prediction,
        response_description="a Prediction, as below",
        responses=REFUSALS,
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def predict(request: Request) -> Response:
        try:
            content, name = await read_upload(request)
        except ClientDisconnect:
            return Response(status_code=400)  # Nobody is there to read it.
        work = partial(_predict, model, content, name, has_report=has_report)
        try:
            loop = asyncio.get_running_loop()
            return JSONResponse(await loop.run_in_executor(workers, work))
        except InputError as error:
            raise HTTPException(422, str(error)) from error

    _add_pages(app, model.description, report if has_report else None)
    return Guard(app, names=names, any_address=any_address)


def _add_pages(app: FastAPI, description: Description, report: Path | None) -> None:
    """The page to draw on, that of the interface, and the report."""
    page, policy = render_page(description, has_report=report is not None)
    openapi = app.openapi()  # What it is to hold has been added before.

    @app.get("/", include_in_schema=False)
    async def show_page() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": policy})

    @app.get("/docs", include_in_schema=False)
    async def show_interface(request: Request) -> HTMLResponse:
        interface, policy = render_interface(openapi, f"http://{request.headers['host']}")
        return HTMLResponse(interface, headers={"content-security-policy": policy})

    if report is not None:

        @app.get("/report", include_in_schema=False)
        async def show_report() -> FileResponse:
            headers = {"content-security-policy": REPORT_POLICY}
            return FileResponse(report, media_type="text/html", headers=headers)


def _predict(
    model: ExportedModel, content: bytes, name: str, *, has_report: bool
) -> dict[str, Any]:
    found = answer(model, content, name, formats=FORMATS, most_pixels=MOST_PIXELS)
    return {
        **found.to_dict(),
        "nearest": [_training_image(kept) for kept in found.nearest],
        "typical": [_training_image(kept) for kept in found.typical],
        "image": picture_url(found.picture),
        "taken_for": _directions(found) if has_report and found.pair else [],
    }


def _training_image(kept: Kept) -> dict[str, Any]:
    return {"train_image": kept.row, "class": kept.label, "image": picture_url(kept.picture)}


def _directions(found: Answer) -> list[dict[str, str]]:
    first, second = found.order[:2]
    return [
        {
            "true": found.classes[true],
            "predicted": found.classes[predicted],
            "href": f"/report#true={true}&pred={predicted}",
        }
        for true, predicted in ((first, second), (second, first))
    ]


def picture_url(picture: np.ndarray) -> str:
    """A picture, uint8 (H, W, C), as the data URL of a PNG."""
    file = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
