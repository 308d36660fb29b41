"""Charts as SVG, readable on a light and on a dark page: no background, and colours of middle brightness.

Owns: a chart of lines and one of bars. Never: the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 78, 52
INK, GRID = "#7d8590", "#7d859055"
COLOURS = ("#2f81f7", "#e0663a", "#2da44e", "#a371f7")
BAR = 26
BAR_LEFT = 196


def line_chart(
    title: str,
    lines: Mapping[str, Sequence[tuple[int, float]]],
    *,
    unit: str,
    log: bool = False,
    dashed: Sequence[str] = (),
) -> str:
    """Return a chart of values over the number of requests in flight. `lines`: name to points."""
    places = sorted({x for points in lines.values() for x, _ in points})
    values = [y for points in lines.values() for _, y in points]
    ticks = log_ticks(min(values), max(values)) if log else ticks_to(max(values))
    low, high = (math.log10(ticks[0]), math.log10(ticks[-1])) if log else (0.0, ticks[-1])

    def at(x: int, y: float) -> tuple[float, float]:
        across = places.index(x) / max(len(places) - 1, 1)
        up = ((math.log10(y) if log else y) - low) / (high - low)
        return LEFT + 24 + across * (WIDTH - LEFT - RIGHT - 48), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [text(LEFT, 26, title, size=17, weight=600), *legend(list(lines), dashed)]
    for tick in ticks:
        y = at(places[0], tick)[1]
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(text(LEFT - 8, y + 4, f"{tick:,g}" if tick < 1e6 else f"{tick:,.0f}", anchor="end"))
    parts += [text(at(x, ticks[-1])[0], HEIGHT - BOTTOM + 20, str(x), anchor="middle") for x in places]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, f"requests in flight · {unit}", anchor="middle"))
    for number, (name, points) in enumerate(lines.items()):
        parts += curve([at(x, y) for x, y in points], colour(number, dashed), dash=name in dashed)
    return svg(parts, HEIGHT, title)


def bar_chart(title: str, bars: Mapping[str, Mapping[str, float]], *, unit: str) -> str:
    """Return a chart of stacked bars. `bars`: name of a bar to its parts, which are the same in each."""
    names = list(next(iter(bars.values())))
    ticks = ticks_to(max(sum(parts.values()) for parts in bars.values()))
    height = TOP + len(bars) * (BAR + 18) + BOTTOM
    scale = (WIDTH - BAR_LEFT - RIGHT - 60) / ticks[-1]
    drawn = [text(24, 26, title, size=17, weight=600), *legend(names, (), left=24)]
    for tick in ticks:
        x = BAR_LEFT + tick * scale
        drawn.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - BOTTOM}" stroke="{GRID}"/>')
        drawn.append(text(x, height - BOTTOM + 18, f"{tick:,g}", anchor="middle"))
    for row, (name, parts) in enumerate(bars.items()):
        x, y = float(BAR_LEFT), TOP + row * (BAR + 18)
        drawn.append(text(BAR_LEFT - 10, y + BAR / 2 + 5, name, anchor="end"))
        for number, value in enumerate(parts.values()):
            drawn.append(
                f'<rect x="{x:.1f}" y="{y}" width="{max(value * scale, 0):.1f}" height="{BAR}" fill="{COLOURS[number]}"/>'
            )
            x += value * scale
        drawn.append(text(x + 8, y + BAR / 2 + 5, f"{sum(parts.values()):,.0f}"))
    drawn.append(text((BAR_LEFT + WIDTH - RIGHT) / 2, height - 10, unit, anchor="middle"))
    return svg(drawn, height, title)


def colour(number: int, dashed: Sequence[str]) -> str:
    """Return the colour of a line; where every second one is dashed, two lines share one."""
    return COLOURS[number // 2 if dashed else number]


def curve(points: Sequence[tuple[float, float]], stroke: str, *, dash: bool) -> list[str]:
    """Return a line with a dot at each point."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    style = ' stroke-dasharray="6 5"' if dash else ""
    line = f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="2.5"{style}/>'
    return [line, *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{stroke}"/>' for x, y in points)]


def legend(names: Sequence[str], dashed: Sequence[str], *, left: int = LEFT) -> list[str]:
    """Return the names beside their colours."""
    parts, x = [], float(left)
    for number, name in enumerate(names):
        style = ' stroke-dasharray="6 5"' if name in dashed else ""
        parts.append(
            f'<line x1="{x:.1f}" y1="48" x2="{x + 22:.1f}" y2="48" stroke="{colour(number, dashed)}" stroke-width="4"{style}/>'
        )
        parts.append(text(x + 28, 52, name))
        x += 28 + 7.2 * len(name) + 20
    return parts


def ticks_to(most: float) -> list[float]:
    """Return round values from 0 to at least `most`."""
    step = 10 ** math.floor(math.log10(max(most, 1e-9)))
    step *= next(factor for factor in (0.2, 0.5, 1, 2) if most / (step * factor) <= 6)
    return [number * step for number in range(math.ceil(most / step) + 1)]


def log_ticks(least: float, most: float) -> list[float]:
    """Return the powers of ten around these values."""
    first = math.floor(math.log10(max(least, 1e-3)))
    last = max(math.ceil(math.log10(max(most, 1e-3))), first + 1)
    return [10.0**number for number in range(first, last + 1)]


def text(x: float, y: float, words: str, *, size: int = 13, weight: int = 400, anchor: str = "start") -> str:
    """Return a text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{INK}">'
        f"{escape(words)}</text>"
    )


def svg(parts: Sequence[str], height: int, title: str) -> str:
    """Return the file."""
    font = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="{font}">'
    )
    return "\n".join([head, *parts, "</svg>", ""])
