"""The operator's brand on customers' pages, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookspan.errors import ConfigurationError
from hookspan.settings import load_settings
from tests.integration.api.conftest import api_in
from tests.integration.dashboard.conftest import House

pytestmark = pytest.mark.anyio
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'


@pytest.fixture(scope="module")
async def branded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("branded")
    (folder / "acme.svg").write_bytes(LOGO)
    brand = {"brand_name": "Acme <b>& Sons</b>", "brand_logo": str(folder / "acme.svg"), "brand_colour": "#ffcc00"}
    async with api_in(folder, public_url="https://hooks.example.com/in", **brand) as api:
        house = House(api)
        yield house
        await house.close()


async def test_a_portal_shows_the_operator_s_brand(branded: House) -> None:
    """Name, logo and style sheet; no inline style; ours is not named."""
    application = await branded.api.application()
    made = await branded.api("POST", f"/v1/applications/{application}/portal-sessions", {}, status=201)
    place = made["url"].removeprefix("https://hooks.example.com/in")
    async with branded.client() as client:
        for path in (place, f"{place}/deliveries", f"{place}/nothing", "/portal/hk_portal_over"):
            response = await client.get(path)
            text = response.text
            assert "Acme &lt;b&gt;&amp; Sons&lt;/b&gt;" in text, path
            assert "Hookspan" not in text.partition("<main")[0], path
            assert "style=" not in text, path
            assert "'unsafe-inline'" not in response.headers["content-security-policy"], path
            assert text.count("/brand.css") == 1, path
            assert text.count("/logo.svg") == 2, path


async def test_the_dashboard_stays_ours(branded: House) -> None:
    """The operator's people are told whose program they have before them."""
    application = await branded.api.application()
    async with branded.client() as client:
        text = (await client.get("/sign-in")).text
        assert "Hookspan" in text
        assert "brand.css" not in text
        assert "logo.svg" not in text
        assert application not in text


async def test_files_of_the_brand(branded: House) -> None:
    """Under a name for their content, with their type; a picture that is opened by itself is in a sandbox."""
    application = await branded.api.application()
    made = await branded.api("POST", f"/v1/applications/{application}/portal-sessions", {}, status=201)
    async with branded.client() as client:
        text = (await client.get(made["url"].removeprefix("https://hooks.example.com/in"))).text
        logo = text.partition('<img src="/in')[2].partition('"')[0]
        response = await client.get(logo)
        assert (response.status_code, response.content) == (200, LOGO)
        assert response.headers["content-type"] == "image/svg+xml"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in response.headers["cache-control"]
        policy = response.headers["content-security-policy"]
        assert "sandbox;" in policy
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        style = await client.get(logo.replace("logo.svg", "brand.css"))
        assert style.headers["content-type"] == "text/css; charset=utf-8"
        assert "#ffcc00" in style.text
        for path in (logo.replace("logo.svg", "logo.png"), "/assets/0000000000000000/logo.svg"):
            assert (await client.get(path)).status_code == 404


async def test_without_a_brand_nothing_of_it_is_there(house: House) -> None:
    """No sheet, no picture; the portal has its plain name."""
    application = await house.api.application()
    portal = await house.portal(application)
    text = (await portal.client.get(portal.root)).text
    assert "brand.css" not in text
    assert "<img" not in text
    assert "Webhooks</a>" in text


def test_what_is_wrong_is_refused_at_the_start(tmp_path: Path) -> None:
    """With the setting's name, where it was said, and what is to be changed."""
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300_000))
    page = tmp_path / "page.svg"
    page.write_text("<html></html>")
    for name, value, said in (
        ("BRAND_COLOUR", "hotpink", "must be a colour as #0a7 or #00aa77"),
        ("BRAND_NAME", "x" * 61, "must be 1 to 60 printable characters"),
        ("BRAND_LOGO", str(tmp_path / "none.png"), "can't read"),
        ("BRAND_LOGO", str(large), "is larger than 256 KiB"),
        ("BRAND_LOGO", str(page), "is no PNG, SVG, JPEG or WebP"),
    ):
        with pytest.raises(ConfigurationError) as refused:
            load_settings(environment={f"HOOKSPAN_{name}": value}, folder=tmp_path)
        assert f"HOOKSPAN_{name}" in refused.value.detail
        assert said in refused.value.detail
