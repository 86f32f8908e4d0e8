export function consolesPage(c){c.outlet.textContent='consoles'}
