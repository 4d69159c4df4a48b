"""A chart of the medians as SVG: a panel a measure, a bar a contestant."""
from xml.sax.saxutils import escape

from report import number

COLOURS = ["#1b6ca8", "#7fb2d6", "#9a9a9a", "#c0662b", "#e3b08a", "#4d8b57",
           "#a5cba9"]
COLUMNS = 2
PANEL_WIDTH = 560
LABEL_WIDTH = 170
VALUE_WIDTH = 90
BAR_HEIGHT = 14
TITLE_HEIGHT = 34


def text(x, y, words, anchor="start", weight="normal"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def panel(entry, contestants, left, top):
    """A bar's length is its share of the longest in the panel."""
    cells = entry["contestants"]
    longest = max(found["median"] for found in cells.values()) or 1
    room = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
    yield text(left, top + 20, f"{entry['measure']}, {entry['unit']}",
               weight="bold")
    y = top + TITLE_HEIGHT
    for place, name in enumerate(contestants):
        if name not in cells:
            continue
        median = cells[name]["median"]
        colour = COLOURS[place % len(COLOURS)]
        width = max(1, room * median / longest)
        yield text(left + LABEL_WIDTH - 8, y + 11, name, "end")
        yield (f'<rect x="{left + LABEL_WIDTH}" y="{y}" width="{width:.1f}" '
               f'height="{BAR_HEIGHT - 3}" fill="{colour}"/>')
        yield text(left + LABEL_WIDTH + width + 6, y + 11, number(median))
        y += BAR_HEIGHT


def chart(summary, contestants):
    height = TITLE_HEIGHT + BAR_HEIGHT * len(contestants)
    rows = (len(summary) + COLUMNS - 1) // COLUMNS
    total_width, total_height = COLUMNS * PANEL_WIDTH + 20, rows * height + 20
    shapes = []
    for place, entry in enumerate(summary):
        shapes += panel(entry, contestants,
                        10 + place % COLUMNS * PANEL_WIDTH,
                        10 + place // COLUMNS * height)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_width}" '
            f'height="{total_height}" font-family="sans-serif" '
            'font-size="11">\n<rect width="100%" height="100%" '
            'fill="white"/>\n' + "\n".join(shapes) + "\n</svg>\n")
