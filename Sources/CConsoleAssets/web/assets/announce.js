/** Says something to screen readers. */
export function announce(text) {
    document.getElementById("announcer").textContent = text;
}
