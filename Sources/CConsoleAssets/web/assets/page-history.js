export function historyPage(c){c.outlet.textContent='history'}
