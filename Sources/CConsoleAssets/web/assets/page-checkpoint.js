export function checkpointPage(c){c.outlet.textContent='checkpoint'}
