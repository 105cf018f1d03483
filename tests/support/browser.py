"""Chromium from the system, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.support.tools import tool

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program's path; see `tools.tool` for what happens without it."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or tool(NAMES[0])


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """One headless browser. In containers everything runs as root, where Chromium has no sandbox."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
