// Elements out of values, and a page brought in step with a newer one of itself without losing focus, selection or
// scroll positions. Text is only ever text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const HANDLERS = Symbol("handlers");
const COMPONENT = Symbol("component");
const LIVE = Symbol("live");
const STYLE = Symbol("style");

/**
 * An element.
 *
 * Properties: `on` has handlers by event type; `live` is a value that something else shows in the element (see ticker.js);
 * `style` has CSS properties; everything else is an attribute, left out when it is false, null or undefined.
 */
export function h(tag, properties = {}, ...children) {
    return build(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties = {}, ...children) {
    return build(document.createElementNS(SVG, tag), properties, children);
}

/** A place for something with an `element` of its own, which stays what it is when the page around it is drawn again. */
export function island(key, component, properties = {}) {
    const place = h("div", { ...properties, key });
    place[COMPONENT] = component;
    return place;
}

export function liveValue(element) {
    return element[LIVE];
}

/** Makes an element's children equal to the given ones, and keeps those that are the same. */
export function render(parent, ...children) {
    const fresh = document.createElement("div");
    append(fresh, children);
    patchChildren(parent, [...fresh.childNodes]);
}

export function clear(element) {
    element.replaceChildren();
}

function build(element, properties, children) {
    for (const [name, value] of Object.entries(properties)) {
        if (value === undefined || value === null || value === false) continue;
        if (name === "on") listen(element, value);
        else if (name === "live") element[LIVE] = value;
        else if (name === "style") setStyle(element, value);
        else if (name === "key") element.setAttribute("data-key", value);
        else element.setAttribute(name, value === true ? "" : String(value));
    }
    append(element, children);
    return element;
}

/** The page's policy forbids style attributes in text, so styles are never copied as attributes. */
function setStyle(element, properties = {}) {
    for (const name of Object.keys(element[STYLE] ?? {})) if (!(name in properties)) element.style.removeProperty(name);
    for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
    element[STYLE] = properties;
}

function append(parent, children) {
    for (const child of children.flat(Infinity)) {
        if (child === undefined || child === null || child === false) continue;
        parent.append(child instanceof Node ? child : String(child));
    }
}

function listen(element, handlers) {
    const known = (element[HANDLERS] ??= {});
    for (const type of Object.keys(handlers)) {
        if (!(type in known)) element.addEventListener(type, dispatch);
    }
    for (const type of Object.keys(known)) delete known[type];
    Object.assign(known, Object.fromEntries(Object.keys(handlers).map((type) => [type, handlers[type]])));
}

function dispatch(event) {
    event.currentTarget[HANDLERS][event.type]?.(event);
}

function patchChildren(parent, fresh) {
    const keyed = new Map();
    for (const child of parent.children) if (child.dataset?.key) keyed.set(child.dataset.key, child);
    let place = parent.firstChild;
    for (const node of fresh) {
        const key = node.dataset?.key;
        const old = key ? keyed.get(key) : place && !place.dataset?.key ? place : null;
        if (old && alike(old, node)) {
            if (old === place) place = place.nextSibling;
            else parent.insertBefore(old, place);
            patch(old, node);
        } else {
            parent.insertBefore(node, place);
            mount(node);
        }
    }
    while (place) {
        const next = place.nextSibling;
        place.remove();
        place = next;
    }
}

function alike(old, fresh) {
    return old.nodeName === fresh.nodeName && old.dataset?.key === fresh.dataset?.key && old[COMPONENT] === fresh[COMPONENT];
}

function patch(old, fresh) {
    if (old.nodeType === Node.TEXT_NODE) {
        if (old.data !== fresh.data) old.data = fresh.data;
        return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !kept(old, name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    if (old[STYLE] || fresh[STYLE]) setStyle(old, fresh[STYLE]);
    if (fresh[HANDLERS] || old[HANDLERS]) listen(old, fresh[HANDLERS] ?? {});
    const isLive = fresh[LIVE] !== undefined;
    old[LIVE] = fresh[LIVE];
    if (!isLive && !old[COMPONENT]) patchChildren(old, [...fresh.childNodes]);
}

/** What the reader did to an element is the reader's: an opened disclosure stays open. */
function kept(element, name) {
    return name === "open" && (element.localName === "details" || element.localName === "dialog");
}

function mount(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node[COMPONENT]) node.replaceChildren(node[COMPONENT].element);
    else for (const child of node.children) mount(child);
}
