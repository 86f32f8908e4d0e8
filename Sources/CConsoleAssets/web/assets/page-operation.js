export function operationPage(c){c.outlet.textContent='operation'}
