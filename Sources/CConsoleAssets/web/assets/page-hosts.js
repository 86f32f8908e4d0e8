export function hostsPage(c){c.outlet.textContent='hosts'}
