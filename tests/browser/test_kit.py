"""The check of pages is itself checked: what only one of the two windows shows is found as well."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.kit import WIDE, check_at_both_sizes

PAGE = """<html lang="en"><head><title>Deal</title><meta name="viewport" content="width=device-width">
<style>p {{ color: #000; background: #fff }} .pale {{ color: #bbb }}
@media (min-width: 800px) {{ .phone {{ display: none }} .pale-on-phone {{ color: #000 }} }}
@media (max-width: 799px) {{ .wide {{ display: none }} .pale-on-phone {{ color: #bbb }} }}</style></head>
<body><main><h1>Deal</h1>{0}</main></body></html>"""


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("<p>Accepted</p>", None),
        ('<p class="wide pale">Accepted</p>', "color-contrast"),
        ('<p class="phone pale">Accepted</p>', "color-contrast"),
        ('<p class="pale-on-phone">Accepted</p>', "color-contrast"),
        ('<p class="phone"><img src="data:,"></p>', "image-alt"),
        ('<p style="width: 600px">Accepted</p>', "scrolls sideways by"),
    ],
)
def test_a_fault_of_either_window_is_found(browser: Browser, content: str, fault: str | None) -> None:
    page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
    page.set_content(PAGE.format(content))
    if fault is None:
        check_at_both_sizes(page)
    else:
        with pytest.raises(AssertionError, match=fault):
            check_at_both_sizes(page)
    page.close()
