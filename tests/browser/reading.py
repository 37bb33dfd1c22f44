"""Reading a page as a visitor sees it: what is drawn, what is cut, what lies over what."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.support import chart, wait_quiet

CHARTS = {
    "": ("flow-state", "units"),
    "spectrum": ("singular-values", "eigenvalues", "powers", "jacobians"),
    "gates": ("memory-gate", "half-life", "gate-strips", "carry"),
    "train": ("loss", "state-maps"),
}

# Text of the page itself: {text, left, top, right, bottom} of each line that is to be seen, with
# `cut` where its box hides a part. Shadow roots are looked into; figures are not.
PAGE_TEXT = """() => {
  const found = [];
  const seen = (element) => {
    if (element.clientWidth === 1) return false; // for screen readers alone
    if (element.closest('details:not([open]) > :not(summary)')) return false;
    for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
      const style = getComputedStyle(at);
      if (style.visibility === 'hidden' || style.display === 'none' || style.opacity === '0')
        return false;
      if (at.closest('[aria-hidden="true"], [data-testid="stIconMaterial"]')) return false;
    }
    return true;
  };
  const cut = (element) => {
    const style = getComputedStyle(element);
    return style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1;
  };
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const holder = node.parentElement;
      if (!node.textContent.trim() || !seen(holder)) return;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        const { left, top, right, bottom } = box;
        if (box.width < 2 || box.height < 2) continue;
        const text = node.textContent.trim();
        found.push({ text, left, top, right, bottom, cut: cut(holder) });
      }
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.matches('svg, style, script, .rnnviz-chart')) return;
    if (node.matches('input[type=text], input:not([type])') && cut(node))
      found.push({ text: node.value, left: 0, top: 0, right: 0, bottom: 0, cut: true });
    (node.shadowRoot ?? node).childNodes.forEach(visit);
  };
  document.querySelectorAll('[data-testid=stMain], [data-testid=stSidebar]').forEach(visit);
  return found;
}"""

# Text of one figure, with `cut` where it leaves the figure.
FIGURE_TEXT = """(css) => {
  const plot = document.querySelector(css), frame = plot.getBoundingClientRect();
  return [...plot.querySelectorAll('.main-svg text')].map((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const outside = left < frame.left - 1 || top < frame.top - 1
      || right > frame.right + 1 || bottom > frame.bottom + 1;
    const seen = getComputedStyle(element).visibility !== 'hidden';
    return { text: element.textContent.trim(), left, top, right, bottom, cut: outside, seen };
  }).filter(({ text, left, right, seen }) => seen && text && right > left);
}"""


def wait_charts(page: Page, tab: str) -> dict[str, int]:
    """Wait for every chart of a page; returns their paint counts."""
    return wait_quiet(page, CHARTS[tab])


def drawn(page: Page, key: str) -> str:
    """All that a figure's traces are made of, as text to compare."""
    css = f"{chart(page, key)} .rnnviz-plot"
    return page.evaluate("(css) => JSON.stringify(document.querySelector(css).data)", css)


def line(page: Page, key: str, name: str) -> list[float | None]:
    """The y of a figure's line with this name."""
    script = """([css, name]) => {
      const trace = document.querySelector(css)._fullData.find((t) => t.name === name);
      return Array.from(trace.y, (y) => (Number.isFinite(y) ? y : null));
    }"""
    return page.evaluate(script, [f"{chart(page, key)} .rnnviz-plot", name])


def wait_for_line(page: Page, key: str, name: str, expected: list[float | None]) -> None:
    """Wait until a line has exactly these values."""
    script = """([css, name, expected]) => {
      const trace = document.querySelector(css)?._fullData?.find((t) => t.name === name);
      return trace && expected.every((y, at) => y === null || trace.y[at] === y);
    }"""
    css = f"{chart(page, key)} .rnnviz-plot"
    page.wait_for_function(script, arg=[css, name, expected], timeout=15_000)


def troubles(page: Page, tab: str) -> list[str]:
    """Every text on the page and in its figures that is cut or lies over another."""
    groups = [page.evaluate(PAGE_TEXT)]
    groups += [
        page.evaluate(FIGURE_TEXT, f"{chart(page, key)} .rnnviz-plot") for key in CHARTS[tab]
    ]
    found = []
    for texts in groups:
        found += [f"{text['text']!r} is cut" for text in texts if text["cut"]]
        found += overlaps(texts)
    return found


def overlaps(texts: list[dict[str, Any]], slack: float = 3) -> list[str]:
    """Pairs of texts that share more than `slack` pixels both ways."""
    found = []
    for index, one in enumerate(texts):
        for other in texts[:index]:
            wide = min(one["right"], other["right"]) - max(one["left"], other["left"])
            high = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
            if wide > slack and high > slack:
                found.append(f"{one['text']!r} over {other['text']!r}")
    return found


def below_the_fold(page: Page, css: str) -> float:
    """How many pixels of an element lie under the window's lower edge."""
    script = "(css) => document.querySelector(css).getBoundingClientRect().bottom - innerHeight"
    return page.evaluate(script, css)


def contrast(page: Page, css: str) -> float:
    """WCAG contrast of an element's text with the page's background."""
    script = """(css) => {
      const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
          .map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const element = document.querySelector(css), style = getComputedStyle(element);
      const ink = element.closest('svg') ? style.fill : style.color;
      const app = document.querySelector('[data-testid=stApp]');
      const [a, b] = [ink, getComputedStyle(app).backgroundColor].map(light).sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    }"""
    return page.evaluate(script, css)
