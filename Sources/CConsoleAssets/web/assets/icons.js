// Drawn on a grid of 20 by 20, in the colour of the text around them.

import { svg } from "./dom.js";

const shapes = {
    sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1",
    moon: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z",
    contrast: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 3v14M10 6l4.5-1M10 9h6.6M10 12h6.6M10 15h4.5",
    pause: "M7 4.5v11M13 4.5v11",
    play: "M6.5 4.5v11l9-5.5-9-5.5Z",
    save: "M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 16.5h12",
    back: "M4 4.5v4.5h4.5M4.4 9a6.3 6.3 0 1 1-.4 3.5",
    clone: "M7 7h9v9H7zM4 13V4h9",
    stop: "M5 5h10v10H5z",
    plus: "M10 4.5v11M4.5 10h11",
    minus: "M4.5 10h11",
    fit: "M4 8V4h4M16 8V4h-4M4 12v4h4M16 12v4h-4",
    check: "M4 10.5l4 4 8-9",
    cross: "M5 5l10 10M15 5L5 15",
    warning: "M10 3.5 2.8 16.5h14.4L10 3.5ZM10 8.5v4M10 14.3v.2",
    info: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 9.2V14M10 6.2v.3",
    terminal: "M3 4.5h14v11H3zM6 8l2.5 2L6 12M10.5 12.5H14",
    clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 6v4.2l2.8 1.8",
    lock: "M5.5 9h9v7.5h-9zM7.5 9V6.5a2.5 2.5 0 0 1 5 0V9",
    branch: "M6 3.5v13M6 12c0-4 8-2 8-6.5",
    right: "M7.5 4.5 13 10l-5.5 5.5",
};

export function icon(name) {
    return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: shapes[name] }));
}
