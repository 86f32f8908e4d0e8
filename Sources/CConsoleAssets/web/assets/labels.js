import { h } from "./dom.js";

/** A checkpoint's labels, each a small sign. */
export function labelTags(labels) {
    return Object.entries(labels).map(([key, value]) => h("span", { class: "tag" }, value ? `${key}=${value}` : key));
}
